//! How the program ends: the codes of sysexits.h, and what it says with each.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::guest::Guest;
use harness::guest_root::GuestRoot;
use harness::programs::{self, Ran};
use harness::requires;
use harness::scratch::{self, Scratch};

const LIMIT: Duration = Duration::from_secs(30);
/// Nobody, on Debian and elsewhere.
const NOBODY: u32 = 65534;

fn run(words: &[&str]) -> Ran {
    let mut command = programs::command("xvdguard").unwrap();
    command.args(words);
    programs::run(command, LIMIT).unwrap()
}

/// Runs it and compares the code and what it said, all of it on standard error.
fn ends_with(code: i32, words: &[&str], parts: &[&str]) {
    let ran = run(words);
    assert_eq!(ran.code, Some(code), "{words:?}: {ran:?}");
    for part in parts {
        assert!(ran.err().contains(part), "{words:?}: {}", ran.err());
    }
    assert_eq!(ran.out(), "", "{words:?}");
}

#[test]
fn what_does_not_exist_is_a_usage_error() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    let ran = guest.xvdguard(&["probe", "xvdz\u{1b}[2J"]).unwrap();
    assert_eq!(ran.code, Some(64), "{ran:?}");
    // Which there are, and nothing that a terminal would obey.
    assert!(
        ran.err().contains(r"xvdz\x1b[2J") && ran.err().contains("xvda, xvdb"),
        "{}",
        ran.err()
    );
    for words in [&["fly"][..], &[], &["probe", "--fast"], &["record"]] {
        assert_eq!(run(words).code, Some(64), "{words:?}");
    }
    assert_eq!(run(&["--version"]).code, Some(0));
}

#[test]
fn what_cannot_be_read_is_named_with_its_place_and_what_to_do() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    let at = root.path().to_string_lossy().into_owned();
    let tree = root.within("tree.txt").to_string_lossy().into_owned();
    root.write("tree.txt", "device = \"\"\n vbd = \"\"\n").unwrap();
    ends_with(66, &["--root", "/no/such/root", "status"], &["/no/such/root", "os error 2"]);
    ends_with(66, &["--root", &tree, "status"], &["tree.txt", "os error 20"]);
    let listing = ["--root", &at, "--xenstore", &tree, "status"];
    ends_with(66, &listing, &["tree.txt", "line 2", "xenstore-ls -f"]);
}

#[test]
fn a_xenstore_that_was_named_and_does_not_answer_is_unreachable() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    let at = root.path().to_string_lossy().into_owned();
    let socket = root.within("run/socket").to_string_lossy().into_owned();
    ends_with(69, &["--root", &at, "--xenstore", &socket, "status"], &["run/socket"]);
    // Nobody takes the connections of the first; nobody is there any more behind the second.
    let listener = UnixListener::bind(&socket).unwrap();
    ends_with(69, &["--root", &at, "--xenstore", &socket, "status"], &["run/socket"]);
    drop(listener);
    ends_with(69, &["--root", &at, "--xenstore", &socket, "status"], &["run/socket"]);
}

#[test]
fn without_root_one_may_look_and_not_probe() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    let folder = Scratch::new("unprivileged").unwrap();
    for path in [scratch::base().unwrap(), folder.path(), root.path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let program = folder.path().join("xvdguard");
    fs::copy(programs::path("xvdguard").unwrap(), &program).unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(&program);
        command.args(words).arg("--root").arg(root.path()).uid(NOBODY).gid(NOBODY);
        programs::run(command, LIMIT).unwrap()
    };
    let probe = run(&["probe"]);
    assert_eq!(probe.code, Some(77), "{probe:?}");
    assert!(probe.err().contains("needs root"), "{}", probe.err());
    let status = run(&["status"]);
    assert_eq!(status.code, Some(0), "{status:?}");
    assert!(!Path::new(&root.within("run/xvdguard")).exists());
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    let Some(_) = requires::root() else { return };
    let root = GuestRoot::new().unwrap();
    let program = programs::path("xvdguard").unwrap();
    let line = format!("{} --root {} status | true", program.display(), root.path().display());
    let mut shell = Command::new("bash");
    shell.args(["-c", &format!("{line}; exit ${{PIPESTATUS[0]}}")]);
    let ran = programs::run(shell, LIMIT).unwrap();
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""));
}

#[test]
fn another_writer_is_waited_for_and_then_named() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    guest.root.write("run/xvdguard/lock", "").unwrap();
    let lock = guest.root.within("run/xvdguard/lock");
    let file = fs::OpenOptions::new().write(true).open(&lock).unwrap();
    fs::write(&lock, "4711").unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let before = guest.flushes().unwrap();
    let ran = guest.xvdguard(&["probe"]).unwrap();
    assert_eq!(ran.code, Some(73), "{ran:?}");
    assert!(ran.err().contains("process 4711 holds it"), "{}", ran.err());
    assert!(ran.took >= Duration::from_secs(5), "{:?}", ran.took);
    assert_eq!(guest.flushes().unwrap(), before);
}
