//! Every system call that names a file or holds one open, answered with an error.

use harness::requires;

use crate::stage::Stage;
use crate::traced::{Spoil, counts, each, spoil};

/// What strace calls them.
const CALLS: &str = "%file,%desc";

/// Calls of that set which are about memory and waiting: no file system answers them, and without
/// them no program starts.
const NOT_OF_FILES: [&str; 2] = ["mmap", "poll"];

/// Runs `word` with call number `when` answered by an error; false where it has no such call.
fn is_answered(stage: &Stage, word: &str, one: Spoil<'_>) -> bool {
    let ended = spoil(&stage.command(word), one);
    let place = format!("{word} with {one:?}: {}", ended.output);
    assert!(!ended.is_killed && !ended.output.contains("panicked"), "{place}");
    stage.check(&place);
    ended.is_answered
}

fn check_each(error: &str) {
    let Some(_) = requires::root() else { return };
    let Some(_) = requires::program("strace") else { return };
    let what = format!("error={error}");
    let mut calls = counts(&Stage::new().command("apply"), CALLS);
    calls.retain(|(call, _)| !NOT_OF_FILES.contains(&call.as_str()));
    let tried = each(calls, |stage, call, when| {
        let spoil = Spoil { call, when, what: &what };
        stage.reset();
        let applied = is_answered(stage, "apply", spoil);
        stage.run("apply");
        stage.check_applied(&format!("apply after {spoil:?}"));
        let reverted = is_answered(stage, "revert", spoil);
        stage.run("revert");
        stage.check_reverted(&format!("revert after {spoil:?}"));
        applied || reverted
    });
    assert!(tried > 50, "only {tried} calls");
}

#[test]
fn a_full_disk_leaves_the_old_bytes_or_the_new() {
    check_each("ENOSPC");
}

#[test]
fn a_broken_disk_leaves_the_old_bytes_or_the_new() {
    check_each("EIO");
}

#[test]
fn a_read_only_file_system_leaves_the_old_bytes_or_the_new() {
    check_each("EROFS");
}

#[test]
fn a_forbidden_call_leaves_the_old_bytes_or_the_new() {
    check_each("EACCES");
}
