//! Killed at every system call, from the first to the last.

use harness::requires;

use crate::stage::Stage;
use crate::traced::{Spoil, counts, each, spoil};

/// Killed at its call number `when`, `word` leaves a guest that the next run can work with; false
/// where it has no such call.
fn is_killed(stage: &Stage, word: &str, call: &str, when: usize) -> bool {
    let ended = spoil(&stage.command(word), Spoil { call, when, what: "signal=KILL" });
    stage.check(&format!("{word} killed at {call} {when}: {}", ended.output));
    ended.is_killed
}

#[test]
fn apply_may_be_killed_at_any_moment() {
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::program("strace") else { return };
    let calls = counts(&Stage::new().command("apply"), "all");
    let tried = each(calls, |stage, call, when| {
        stage.reset();
        let is_killed = is_killed(stage, "apply", call, when);
        stage.run("apply");
        stage.check_applied(&format!("apply after one that was killed at {call} {when}"));
        is_killed
    });
    assert!(tried > 100, "only {tried} calls");
}

#[test]
fn revert_may_be_killed_at_any_moment() {
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::program("strace") else { return };
    let stage = Stage::new();
    stage.run("apply");
    let tried = each(counts(&stage.command("revert"), "all"), |stage, call, when| {
        stage.reset();
        stage.run("apply");
        let is_killed = is_killed(stage, "revert", call, when);
        stage.run("revert");
        stage.check_reverted(&format!("revert after one that was killed at {call} {when}"));
        is_killed
    });
    assert!(tried > 100, "only {tried} calls");
}
