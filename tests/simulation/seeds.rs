//! Many seeds, and what must be so in each. Never another number of them than it was asked for.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use xvdguard_linux::recording::ring::Ring;
use xvdguard_logic::decide::decide;
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::transitions::{Stage, TRANSITIONS};

use crate::bugs::BUGS;
use crate::judge::Verdict;
use crate::machine::Machine;
use crate::run::{self, Brain};
use crate::script::Script;
use crate::view;
use crate::worlds::{self, judge};

/// Seeds of every run of the tests.
const SEEDS: u64 = 10_000;

/// Within so many seeds a planted bug has to show.
const BUG_SEEDS: u64 = 300;

/// What many seeds brought: the moves that were seen, the turns, and what was wrong with which.
#[derive(Default)]
struct Result {
    moves: BTreeSet<(Stage, Stage)>,
    turns: usize,
    wrong: Vec<(u64, Verdict)>,
}

/// Plays seeds on every processor, and stops where `stop` says so.
fn play(first: u64, count: u64, brain: Brain, stop: impl Fn(&Verdict) -> bool + Sync) -> Result {
    let next = AtomicU64::new(first);
    let end = AtomicU64::new(first + count);
    let result = Mutex::new(Result::default());
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= end.load(Ordering::Relaxed) {
            break;
        }
        let (story, wrong) = judge(seed, brain);
        let mut result = result.lock().unwrap();
        result.moves.extend(story.moves.iter().map(|one| (one.from, one.to)));
        result.turns += story.turns;
        if wrong.iter().any(&stop) {
            end.store(0, Ordering::Relaxed);
        }
        result.wrong.extend(wrong.into_iter().map(|one| (seed, one)));
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    result.into_inner().unwrap()
}

fn shown(wrong: &[(u64, Verdict)]) -> String {
    let lines = wrong
        .iter()
        .take(20)
        .map(|(seed, verdict)| format!("seed {seed}: {}: {}\n", verdict.rule, verdict.what));
    let seeds: BTreeSet<u64> = wrong.iter().map(|(seed, _)| *seed).collect();
    format!("{} seeds failed\n{}", seeds.len(), lines.collect::<String>())
}

#[test]
fn no_seed_breaks_a_rule_and_the_transitions_happen() {
    let count = std::env::var("XVDGUARD_SEEDS").ok().and_then(|count| count.parse().ok());
    let count: u64 = count.unwrap_or(SEEDS);
    let first = std::env::var("XVDGUARD_FIRST_SEED").ok().and_then(|first| first.parse().ok());
    let first: u64 = first.unwrap_or(0);
    let result = play(first, count, decide, |_| false);
    println!("seeds {first} to {}, {} turns", first + count - 1, result.turns);
    assert!(result.wrong.is_empty(), "{}", shown(&result.wrong));
    if count < SEEDS {
        println!("too few seeds for every transition: not looked at");
        return;
    }
    let rows = TRANSITIONS.iter().map(|(from, to, _)| (*from, *to));
    let missing: Vec<_> = rows.filter(|row| !result.moves.contains(row)).collect();
    assert!(missing.is_empty(), "never happened: {missing:#?}");
}

#[test]
fn every_planted_bug_is_caught() {
    let mut missed = Vec::new();
    for (name, brain, rule) in BUGS {
        let result = play(0, BUG_SEEDS, *brain, |wrong| wrong.rule == *rule);
        match result.wrong.iter().find(|(_, wrong)| wrong.rule == *rule) {
            Some((seed, _)) => println!("{name}: caught by {rule}, seed {seed}"),
            None => missed.push((name, rule)),
        }
    }
    assert!(missed.is_empty(), "not caught within {BUG_SEEDS} seeds: {missed:#?}");
}

/// While device-mapper changes a table, nobody can see which disks a mounted volume lies on.
#[test]
fn a_volume_that_is_out_of_sight_for_a_moment_is_not_forgotten() {
    let script = Script::from_seed(0);
    let mut machine = Machine::new(&script, 0);
    let seen = view::world(&mut machine, &script);
    let known = decide(&script.settings, Memory::default(), &seen).memory;
    assert_eq!(known.volumes.len(), script.volumes.len());
    let mut hidden = view::world(&mut machine, &script);
    hidden.volumes.clear();
    hidden.seen.volumes.clear();
    let remembered = decide(&script.settings, known.clone(), &hidden).memory;
    let targets = |memory: &Memory| -> Vec<_> {
        memory.volumes.iter().map(|volume| (volume.target.clone(), volume.state)).collect()
    };
    assert_eq!(targets(&remembered), targets(&known));
}

#[test]
fn one_seed_can_be_stepped_through() {
    let seed = std::env::var("XVDGUARD_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(0);
    let script = worlds::script(seed, decide);
    println!("{script:#?}");
    let mut recording = Ring::new(usize::MAX);
    let story = run::record(seed, &script, decide, &mut recording);
    if let Some(file) = std::env::var_os("XVDGUARD_RECORDING") {
        std::fs::write(file, recording.document("of the simulation")).unwrap();
    }
    let again = run::play(seed, &script, Some(decide));
    assert_eq!((story.turns, story.memory), (again.turns, again.memory), "not the same twice");
    let (_, wrong) = judge(seed, decide);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
