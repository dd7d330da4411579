//! One seed: the guest with the daemon and without it, and all that is wrong with the former.

use xvdguard_logic::policy::word::WriteProbe;
use xvdguard_logic::recovery::memory::{State, Why};

use crate::judge::Verdict;
use crate::machine::Volume;
use crate::run::{Brain, START_MS, Story, play};
use crate::script::{Event, Script};
use crate::strike::{is_struck, strike};

/// The fate of a seed, which may strike within a step of this brain.
pub fn script(seed: u64, brain: Brain) -> Script {
    let script = Script::from_seed(seed);
    let struck = match is_struck(seed) {
        true => strike(seed, &script, &play(seed, &script, Some(brain)).moves),
        false => None,
    };
    struck.unwrap_or(script)
}

/// Plays the seed with this brain; the story, and what was wrong.
pub fn judge(seed: u64, brain: Brain) -> (Story, Vec<Verdict>) {
    let script = script(seed, brain);
    let mut story = play(seed, &script, Some(brain));
    let without = play(seed, &script, None);
    let mut wrong = std::mem::take(&mut story.wrong);
    // Whoever has every volume written to at every tick takes the risk of such a write; and some
    // moments nobody can know to be bad.
    let is_every_tick = script.settings.daemon.write_probe.value == WriteProbe::EveryTick;
    let is_at_risk = story.machine.volumes.iter().any(|volume| volume.is_at_risk);
    if !is_every_tick && !is_at_risk {
        wrong.extend(is_worse(&without, &story));
    }
    wrong.extend(is_left_alone(&script, &story));
    (story, wrong)
}

/// Never worse than without it: what is well there is well here. Where root is dead without the
/// daemon nothing is well there.
fn is_worse(without: &Story, with: &Story) -> Vec<Verdict> {
    let mut wrong = Vec::new();
    for (index, volume) in with.machine.volumes.iter().enumerate() {
        if !volume.damage.is_empty() {
            let what = format!("{}: {:?}", volume.plan.mount_point, volume.damage);
            wrong.push(Verdict { rule: "never_does_harm", what });
        }
        let counts = index == 0 || without.is_well(0);
        if counts && without.is_well(index) && !with.is_well(index) {
            let what = format!(
                "{}: mounted {:?}, alive {}, running {:?}",
                volume.plan.mount_point, volume.mount, volume.is_alive, volume.running
            );
            wrong.push(Verdict { rule: "never_worse_than_without_it", what });
        }
    }
    wrong
}

/// Whether it never died, and nothing said so while the daemon was there.
fn was_always_well(script: &Script, volume: &Volume) -> bool {
    let is_accused = |(at_ms, event): &(u64, Event)| {
        *at_ms > START_MS && matches!(event, Event::FalseLine(disk) if *disk == volume.plan.disk)
    };
    volume.is_alive && volume.errors == 0 && !script.events.iter().any(is_accused)
}

/// Every volume ends healthy, or a person was told exactly once.
fn is_left_alone(script: &Script, story: &Story) -> Vec<Verdict> {
    let mut wrong = Vec::new();
    // A guest whose root never answers does not boot, with whatever in it.
    if !story.machine.is_up {
        return wrong;
    }
    for index in 0..script.volumes.len() {
        let volume = &story.machine.volumes[index];
        let alerts = story.alerts[index];
        let known =
            story.memory.volumes.iter().find(|one| one.target.device == crate::view::device(index));
        let is_told = known.is_some_and(|one| one.is_told);
        let is_probed = script.settings.daemon.write_probe.value != WriteProbe::Never;
        let may_be_unknown = !is_probed || volume.plan.is_undead;
        let problem = match story.state(index) {
            None if volume.mount.is_some() => Some("nobody watches it"),
            None => None,
            Some(State::Healthy) if volume.mount.is_none() => Some("it is not even mounted"),
            Some(State::Healthy)
                if !volume.is_alive && !volume.plan.read_only && !may_be_unknown =>
            {
                Some("it is dead and held for healthy")
            }
            Some(State::Healthy) => None,
            Some(State::GivenUp(_)) if alerts != 1 => Some("given up, and not told exactly once"),
            Some(State::GivenUp(Why::Policy)) if was_always_well(script, volume) => {
                Some("told to be dead, and it was well all the time")
            }
            Some(State::GivenUp(_)) => None,
            Some(State::Erring) if known.is_some_and(|one| one.is_suspect) && alerts != 1 => {
                Some("nobody knows whether it lives, and nobody is told exactly once")
            }
            Some(State::Stalled | State::Erring) if !story.machine.works(index) => None,
            Some(State::Stalled | State::Erring) => Some("it never came to a verdict"),
            Some(_) if is_told && alerts == 1 => None,
            Some(_) => Some("it waits, and nobody knows"),
        };
        if let Some(problem) = problem {
            let state = story.state(index);
            let what = format!("{} {state:?}: {problem}, {alerts} alerts", volume.plan.mount_point);
            wrong.push(Verdict { rule: "ends_healthy_or_handed_over", what });
        }
    }
    wrong
}
