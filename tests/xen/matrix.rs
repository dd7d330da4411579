//! Scenarios of one kernel, packed into as few guests as can be: what was seen of each without
//! xvdguard and with it, as a row of the report.

use std::time::Instant;

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::domain::Seen;
use crate::judge::{Outcome, judge};
use crate::order::{Guard, Order, Placed, System};
use crate::play::Player;
use crate::results::Row;
use crate::say;
use crate::scenario::Scenario;
use crate::scenarios::ALL;

/// Disks of one guest: as many as `xvdguard-early` asks at once from Linux 6.11, where the kernel's
/// line, whose rate is limited, may be the only trace of a flush that failed.
const DISKS_IN_A_GUEST: usize = 8;

/// What one guest showed of a scenario, and how long that guest took.
struct Shown {
    scenario: usize,
    outcome: Outcome,
    seconds: u64,
}

/// Plays scenarios in guests without xvdguard and in guests with it.
pub fn play(player: &mut Player, kernel: &GuestKernel, wanted: &[usize]) -> Vec<Row> {
    let wanted: Vec<usize> =
        wanted.iter().copied().filter(|index| (ALL[*index].is_for)(kernel)).collect();
    let of = |player: &mut Player, is_guarded: bool| -> Vec<Shown> {
        let groups = groups(&wanted, is_guarded);
        groups.iter().flat_map(|group| guest(player, kernel, group, is_guarded)).collect()
    };
    let (without, mut with) = (of(player, false), of(player, true));
    let rows = without.into_iter().filter_map(|without| {
        let place = with.iter().position(|with| with.scenario == without.scenario)?;
        let with = with.swap_remove(place);
        Some(row(&ALL[without.scenario], kernel, without, with))
    });
    rows.collect()
}

/// Scenarios that can share a guest: configured alike, and not too many disks.
fn groups(wanted: &[usize], is_guarded: bool) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in wanted {
        let fits = |group: &&mut Vec<usize>| {
            let (first, next) = (&ALL[group[0]], &ALL[*index]);
            let disks: usize = group.iter().map(|one| ALL[*one].roles.len()).sum();
            let is_alike = (first.words, first.policy) == (next.words, next.policy);
            (is_alike || !is_guarded) && disks + next.roles.len() <= DISKS_IN_A_GUEST
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(*index),
            None => groups.push(vec![*index]),
        }
    }
    groups
}

fn guest(
    player: &mut Player,
    kernel: &GuestKernel,
    group: &[usize],
    is_guarded: bool,
) -> Vec<Shown> {
    let begin = Instant::now();
    let Scenario { name, words, policy, .. } = ALL[group[0]];
    let guard = is_guarded.then_some(Guard { words, policy });
    let disks = group.iter().flat_map(|index| disks(*index)).collect();
    let order = Order { kernel, guard, disks, system: System::Report };
    let seen = player.guest(&order, name);
    let seconds = begin.elapsed().as_secs();
    let (with, disks) = (if is_guarded { "with" } else { "without" }, order.disks.len());
    say(&format!("{} {with} xvdguard, {disks} disks: {seconds} s", kernel.name));
    let shown = |scenario: &usize| {
        let outcome = outcome(*scenario, &order, &seen);
        Shown { scenario: *scenario, outcome, seconds }
    };
    group.iter().map(shown).collect()
}

fn disks(scenario: usize) -> Vec<Placed> {
    let Scenario { host, roles, .. } = ALL[scenario];
    roles.iter().map(|role| Placed { scenario, role, host }).collect()
}

fn outcome(scenario: usize, order: &Order, seen: &Result<Seen>) -> Outcome {
    match seen {
        Ok(seen) => judge(&ALL[scenario], scenario, order, seen),
        Err(failure) => {
            let wrong = vec![format!("bad weather: {failure}")];
            Outcome { shown: "not seen".to_owned(), wrong }
        }
    }
}

fn row(scenario: &Scenario, kernel: &GuestKernel, without: Shown, with: Shown) -> Row {
    let expected = [scenario.without, scenario.with].map(|fate| fate.on(kernel).to_string());
    let of = |guard: &str, wrong: Vec<String>| {
        wrong.into_iter().map(|what| format!("{guard}, {what}")).collect::<Vec<_>>()
    };
    let wrong = [of("without", without.outcome.wrong), of("with", with.outcome.wrong)].concat();
    let result =
        if wrong.is_empty() { "pass".into() } else { format!("FAIL {}", wrong.join("; ")) };
    Row {
        scenario: scenario.name.to_owned(),
        kernel: kernel.name.clone(),
        without: without.outcome.shown,
        with: with.outcome.shown,
        expected: format!("{} → {}; {}", expected[0], expected[1], scenario.verdict),
        result,
        seconds: without.seconds + with.seconds,
    }
}
