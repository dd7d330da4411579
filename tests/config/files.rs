//! Which files are read, and what is said about those that cannot be.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::Command;

use harness::{programs, requires};

use crate::setup::{LIMIT, Machine, WRONG};

const OFF: &str = "[barrier]\nmode = \"off\"\n";

#[test]
fn without_any_file_the_defaults_hold() {
    let ran = Machine::with(&[]).run(&["config", "check"]);
    assert_eq!((ran.code, ran.out().as_str()), (Some(0), "ok: no file, the defaults hold\n"));
}

#[test]
fn a_right_configuration_is_ok_and_its_files_are_listed_in_their_order() {
    let machine = Machine::with(&[
        ("etc/xvdguard/config.toml", OFF),
        ("etc/xvdguard/config.d/20-b.toml", OFF),
        ("etc/xvdguard/config.d/10-a.toml", ""),
        ("etc/xvdguard/config.d/30-c.conf", "not [ even TOML"),
        ("etc/xvdguard/config.d/.40-d.toml", "not [ even TOML"),
    ]);
    let ran = machine.run(&["config", "check"]);
    assert_eq!(
        ran.out().replace(&machine.shown(), ""),
        "ok\n  /etc/xvdguard/config.toml\n  /etc/xvdguard/config.d/10-a.toml\n  \
         /etc/xvdguard/config.d/20-b.toml\n"
    );
    assert_eq!(
        ran.err().replace(&machine.shown(), ""),
        "xvdguard: note: /etc/xvdguard/config.d/30-c.conf is not read: its name does not end in \
         .toml\n"
    );
    assert_eq!(machine.run(&["-q", "config", "check"]).err(), "");
}

#[test]
fn all_errors_of_all_files_are_listed() {
    let machine = Machine::with(&[
        ("etc/xvdguard/config.toml", "[barrier]\nmode = \"x\"\nlever = \"y\"\n"),
        ("etc/xvdguard/config.d/10-a.toml", "[daemon]\ntick = \"z\"\n"),
        ("etc/xvdguard/config.d/20-b.toml", OFF),
        ("etc/xvdguard/config.d/30-c.toml", "colour = 1\n"),
    ]);
    fs::create_dir(machine.within("etc/xvdguard/config.d/25.toml")).unwrap();
    let said = machine.said();
    let heads: Vec<&str> = said.lines().filter(|line| line.starts_with("xvdguard: ")).collect();
    for (head, start) in heads.iter().zip([
        "xvdguard: error: /etc/xvdguard/config.toml:2:8: mode: ",
        "xvdguard: error: /etc/xvdguard/config.toml:3:9: lever: ",
        "xvdguard: error: /etc/xvdguard/config.d/10-a.toml:2:8: tick: ",
        "xvdguard: error: cannot read /etc/xvdguard/config.d/25.toml: it is a directory, and must",
        "xvdguard: error: /etc/xvdguard/config.d/30-c.toml:1:1: unknown key \"colour\"",
    ]) {
        assert!(head.starts_with(start), "{head}\n{said}");
    }
    assert_eq!(heads.len(), 5, "{said}");
}

#[test]
fn what_is_there_and_cannot_be_read_is_an_error_and_not_a_default() {
    type Make = fn(&Path);
    const MAKE: [(Make, &str); 4] = [
        (|path| fs::create_dir(path).unwrap(), "it is a directory"),
        (|path| symlink("nowhere.toml", path).unwrap(), "No such file or directory"),
        (|path| symlink("config.toml", path).unwrap(), "symbolic link"),
        (|path| fs::File::create(path).unwrap().set_len(1 << 30).unwrap(), "more than 256 KiB"),
    ];
    for (make, part) in MAKE {
        let machine = Machine::with(&[("etc/xvdguard/config.d/10.toml", OFF)]);
        make(&machine.within("etc/xvdguard/config.toml"));
        let said = machine.said();
        assert!(said.starts_with("xvdguard: error: cannot read /etc/xvdguard/config.toml: "));
        assert!(said.contains(part) && said.lines().count() == 1, "{said}");
    }
}

/// Root may read everything, unless it gives that right away (capabilities(7)).
#[test]
fn a_file_that_may_not_be_read_is_said_to_be_so() {
    let Some(_) = requires::root() else { return };
    let Some(setpriv) = requires::program("setpriv") else { return };
    let machine = Machine::configured(OFF);
    let file = machine.within("etc/xvdguard/config.toml");
    const NOBODY: u32 = 65534;
    chown(&file, Some(NOBODY), Some(NOBODY)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = Command::new(setpriv);
    command.arg("--bounding-set=-dac_override,-dac_read_search").arg(programs::xvdguard());
    command.arg("--root").arg(machine.within("")).args(["config", "show"]);
    let ran = programs::run(command, LIMIT).unwrap();
    assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""), "{}", ran.err());
    assert!(ran.err().ends_with("config.toml: Permission denied (os error 13)\n"), "{}", ran.err());
}

#[test]
fn a_named_file_is_the_only_one_and_may_lie_anywhere() {
    let machine = Machine::with(&[
        ("etc/xvdguard/config.toml", "not [ even TOML"),
        ("etc/xvdguard/config.d/10.toml", "neither ] this"),
    ]);
    let other = Machine::with(&[("mine", OFF)]);
    let file = other.within("mine");
    let ran = machine.run(&["--config", file.to_str().unwrap(), "config", "check"]);
    assert_eq!((ran.code, ran.out()), (Some(0), format!("ok\n  {}\n", file.display())));
    // It is what a person typed that is opened, not a path below the root.
    let ran = machine.run(&["--config", "/etc/xvdguard/no-such.toml", "config", "check"]);
    assert_eq!(ran.code, WRONG);
    let said = "xvdguard: error: cannot read /etc/xvdguard/no-such.toml: No such file or directory \
                (os error 2)\n";
    assert_eq!(ran.err(), said);
}

#[test]
fn a_named_file_may_be_a_pipe() {
    let mut shell = Command::new("sh");
    let script = r#"printf '[daemon]\ntick = "7s"\n' | "$1" --config /dev/stdin config show"#;
    shell.args(["-c", script, "sh"]).arg(programs::xvdguard());
    let ran = programs::run(shell, LIMIT).unwrap();
    assert!(ran.out().contains("tick = \"7s\"") && ran.out().contains("# /dev/stdin:2"), "{ran:?}");
}

/// Names and contents that a terminal would obey.
#[test]
fn whatever_a_file_holds_or_is_called_is_shown_escaped() {
    let machine = Machine::with(&[]);
    let hostile = b"\x1b]0;owned\x07\x1b[2J\xe2\x80\xaemoc.\xff.toml";
    let path = machine.within("etc/xvdguard/config.d").join(OsStr::from_bytes(hostile));
    let text = "[barrier]\n\"a\\u001b[31m\" = \"\\u202e\"\nmode = \"\u{202e}\u{1b}[2J\"\r\n\
                [recovery.mount.\"\\u001b[2J\"]\n[recovery]\nnever_stop = [\"\\u0007\"]\n";
    machine.write(&path, text);
    machine.write("proc/cmdline", "xvdguard.x\u{1b}[2J=1 barrier=\u{1b}[2J\n");
    for words in [&["config", "check"][..], &["config", "show"], &["--json", "config", "check"]] {
        let ran = machine.run(words);
        assert_eq!(ran.code, WRONG, "{words:?}");
        is_harmless(&ran.out());
        is_harmless(&ran.err());
    }
    let said = machine.said();
    assert!(said.contains(r"\x1b]0;owned\x07\x1b[2J\xe2\x80\xaemoc.\xff.toml:2:1: "), "{said}");
    let folder = b"\x1b[2J\\.toml";
    fs::create_dir(path.with_file_name(OsStr::from_bytes(folder))).unwrap();
    assert!(machine.said().contains("config.d/\\x1b[2J\\x5c.toml: it is a directory"));
    fs::remove_dir(path.with_file_name(OsStr::from_bytes(folder))).unwrap();
    let right = "[[queue]]\nmatch = \"\\u001b[2J\\u202e\"\nnomerges = 1\n\
                 [recovery.mount.'/\\x1b[2J']\nshared = true\n";
    machine.write(&path, right);
    for words in [
        &["config", "check"][..],
        &["config", "show"],
        &["--json", "config", "show"],
        &["config", "freeze"],
    ] {
        let ran = machine.run(words);
        assert_eq!(ran.code, Some(0), "{words:?} {}", ran.err());
        is_harmless(&ran.out());
        is_harmless(&ran.err());
    }
}

#[track_caller]
fn is_harmless(shown: &str) {
    let harmful =
        |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    assert_eq!(shown.chars().find(harmful), None, "{shown:?}");
}

/// Nothing is decided by half a configuration.
#[test]
fn a_wrong_configuration_is_no_ground_to_plan_on() {
    let machine = Machine::configured("colour = 1\n");
    machine.write("etc/fstab", "/dev/xvda1 / ext4 defaults 0 1\n");
    machine.write("run/.keep", "");
    for words in [&["plan"][..], &["apply"], &["apply", "--dry-run"]] {
        let ran = machine.run(words);
        assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""), "{words:?}");
        assert!(ran.err().contains("config.toml:1:1: unknown key \"colour\""), "{}", ran.err());
    }
}

#[test]
fn a_wrong_configuration_stops_nobody_from_looking() {
    let machine = Machine::configured("colour = 1\n");
    let ran = machine.run(&["status"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err());
    assert!(ran.err().contains("Do: xvdguard config check"), "{}", ran.err());
}
