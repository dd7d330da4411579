//! Nobody holds what is the caller's: a hook that waits for the end of a pipe never waits for a
//! disk.

use std::process::Command;
use std::time::Duration;

use harness::deadline::seen;
use harness::fault::{Answer, Fault};
use harness::guest::Guest;
use harness::requires;

use crate::setup::{IN_TIME, command, run};

const SOON: Duration = Duration::from_secs(10);

/// Ways in which a shell hands a pipe to a program; its end is waited for.
const SCRIPTS: [(&str, &str); 3] = [
    ("a command substitution", "out=$(\"$@\"); test -z \"$out\""),
    ("standard output and error", "exec \"$@\""),
    ("a descriptor that nobody mentions", "exec 7>&1 >/dev/null 2>&1; exec \"$@\""),
];

#[test]
fn a_flush_that_hangs_holds_no_pipe_of_the_callers() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    for (what, script) in SCRIPTS {
        let guest = Guest::with_disks(2).unwrap();
        guest.disks[0].storage.set(Fault::Fsync(Answer::Hang)).unwrap();
        let early = command(&guest);
        let mut shell = Command::new("sh");
        shell.args(["-c", script, "hook"]).arg(early.get_program()).args(early.get_args());
        // Returns at the end of both pipes, not at the end of the program.
        let ran = run(shell);
        println!("{:7.1?}  {what}", ran.took);
        assert_eq!((ran.code, ran.out().as_str()), (Some(0), ""), "{what}: {ran:?}");
        assert!(ran.took < IN_TIME, "{what}: {:?}", ran.took);
        assert_eq!(guest.disks[0].storage.counters().unwrap().hanging, 1, "{what}");
        // The worker's end may take a moment more than its last word.
        let is_stuck = |left: &[String]| left.len() == 1 && left[0].ends_with(" D");
        seen(SOON, || is_stuck(&ran.left()).then_some(()));
        assert!(is_stuck(&ran.left()), "{what}: {:?}", ran.left());
        guest.disks[0].storage.heal().unwrap();
        seen(SOON, || ran.left().is_empty().then_some(()));
        assert_eq!(ran.left(), [""; 0], "{what}");
    }
}
