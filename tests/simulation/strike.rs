//! Bad luck to the millisecond: the same guest once more, and right within one of the daemon's
//! steps somebody comes in, or the storage fails again.
//!
//! What happens is fixed before the guest is played again, so it can be played without the daemon.

use harness::random::Random;
use xvdguard_logic::recovery::memory::Step;
use xvdguard_logic::recovery::transitions::Stage;
use xvdguard_logic::recovery::world::Hold;
use xvdguard_logic::text::Text;

use crate::run::Moved;
use crate::script::{Backend, Event, MINUTE, Plan, SECOND, Script};

/// Of so many seeds one is struck.
const EVERY: u64 = 4;

/// No check of `perform` takes longer.
const LONGEST_CHECK_MS: u64 = 6 * MINUTE;

/// Whether this seed is one of them.
pub fn is_struck(seed: u64) -> bool {
    seed % EVERY == EVERY - 1
}

/// The fate of a seed that is struck; none where nothing was done for any volume.
pub fn strike(seed: u64, script: &Script, moves: &[Moved]) -> Option<Script> {
    let mut random = Random::from_seed(seed ^ 0x5741_4b45);
    let is_step = |one: &&Moved| {
        matches!(one.to, Stage::Recovering(_) | Stage::RebootPending | Stage::Erring)
    };
    let steps: Vec<&Moved> = moves.iter().filter(is_step).collect();
    // Few guests come to the rarest step.
    let rarest = steps.iter().find(|one| one.to == Stage::Recovering(Step::PutBack));
    let step = match rarest.filter(|_| random.percent(50)) {
        Some(step) => *step,
        None => *random.choose(&steps)?,
    };
    let plan = &script.volumes[step.volume];
    // Most steps take milliseconds, some take seconds.
    let longest_ms = if random.percent(60) { 10 } else { 3 * SECOND };
    let at_ms = step.at_ms + 1 + random.below(longest_ms);
    let mut script = script.clone();
    let struck = match step.to == Stage::Recovering(Step::Fsck) && random.percent(50) {
        true => mounted_in_between(&mut random, plan, at_ms),
        false => events(&mut random, plan, at_ms),
    };
    let is_deadly = |event: &Event| matches!(event, Event::Backend(_, Backend::Erring));
    let is_storage = struck.iter().any(|(_, event)| is_deadly(event));
    let is_false = script.events.iter().any(|(_, event)| matches!(event, Event::FalseLine(_)));
    if is_storage && (is_false || step.to == Stage::Erring) {
        // The write that clears up whether it lives would be what kills it.
        return None;
    }
    script.events.extend(struck);
    script.events.sort_by_key(|(at_ms, _)| *at_ms);
    script.end_ms = script.end_ms.max(at_ms + 50 * MINUTE);
    Some(script)
}

/// The daemon is killed while a check runs, and somebody mounts what was checked before another
/// daemon is there.
fn mounted_in_between(random: &mut Random, plan: &Plan, at_ms: u64) -> Vec<(u64, Event)> {
    let seen = Event::Seen(plan.mount_point, random.percent(50));
    vec![(at_ms, Event::Kill(LONGEST_CHECK_MS + MINUTE)), (at_ms + LONGEST_CHECK_MS, seen)]
}

fn events(random: &mut Random, plan: &Plan, at_ms: u64) -> Vec<(u64, Event)> {
    let (point, disk) = (plan.mount_point, plan.disk);
    let end_ms = at_ms + random.below(2 * MINUTE);
    match random.below(8) {
        0 | 1 if point != "/" => vec![(at_ms, Event::Seen(point, random.percent(50)))],
        2 if point != "/" => vec![(at_ms, Event::Unmounted(point, random.below(5 * MINUTE)))],
        3 => {
            let hold = Hold { by: "host".into(), mark: Text::from("2"), why: None, until_ms: None };
            vec![(at_ms, Event::HoldAsked(hold)), (end_ms, Event::HoldReleased)]
        }
        4 => vec![
            (at_ms, Event::Backend(disk, Backend::Stalled)),
            (end_ms, Event::Backend(disk, Backend::Up)),
        ],
        5 => vec![
            (at_ms, Event::Backend("xvda", Backend::Stalled)),
            (end_ms, Event::Backend("xvda", Backend::Up)),
        ],
        6 => vec![(at_ms, Event::Kill(random.below(20 * SECOND)))],
        _ => vec![
            (at_ms, Event::Backend(disk, Backend::Erring)),
            (end_ms, Event::Backend(disk, Backend::Up)),
        ],
    }
}
