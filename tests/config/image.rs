//! What the image carries: frozen from the files, read by early boot.

use std::fs;
use std::path::Path;
use std::process::Command;

use harness::{programs, recordings, requires};

use crate::setup::{LIMIT, Machine, WRONG};

const FROZEN: &str = "etc/xvdguard/frozen.policy";

fn frozen(machine: &Machine) -> String {
    let ran = machine.run(&["config", "freeze"]);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""));
    ran.out()
}

/// The line with the hash.
fn hash(frozen: &str) -> &str {
    frozen.lines().find_map(|line| line.strip_prefix("hash=")).unwrap()
}

#[test]
fn the_policy_of_the_image_holds_what_early_boot_needs() {
    let full = Machine::configured(include_str!("fixtures/full.toml"));
    let policy = frozen(&full);
    let expected = "barrier.mode=leave\nbarrier.lever=mount\n\
        queue.match=xvd*\nqueue.backend=drbd\nqueue.params=/dev/drbd?\nqueue.max_sectors_kb=4\n\
        queue.read_ahead_kb=4096\nqueue.nr_requests=32\nqueue.scheduler=mq-deadline\n\
        queue.match=xvd\\x5ca \"quoted\" ü\nqueue.backend=*\nqueue.params=*\nqueue.nomerges=2\n\
        queue.rq_affinity=2\nqueue.wbt_lat_usec=75000\nqueue.rotational=1\n";
    let head = format!("xvdguard-policy=1\nhash={}\n", hash(&policy));
    assert_eq!(policy, head + expected);
}

/// `xvdguard-early queue` on a recording of a real guest.
fn queue(folder: &Path, disk: &str) -> Vec<String> {
    let mut early = Command::new(programs::early());
    early.args(["queue", disk, "--root"]).arg(folder);
    early.arg("--xenstore").arg(folder.join("xenstore.txt"));
    let ran = programs::run(early, LIMIT).unwrap();
    let mut lines: Vec<String> = ran.out().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn early_boot_sets_what_the_files_say() {
    let folder = recordings::unpack("6.1", "after").unwrap().unwrap();
    let machine = Machine::with(&[
        (
            "etc/xvdguard/config.toml",
            "[[queue]]\nmatch = \"xvd?\"\nread_ahead_kb = 512\nscheduler = \"none\"\n",
        ),
        ("etc/xvdguard/config.d/10.toml", "[[queue]]\nmatch = \"xvdc\"\nread_ahead_kb = 64\n"),
        ("etc/xvdguard/config.d/20.toml", "[[queue]]\nbackend = \"drbd\"\nnomerges = 2\n"),
    ]);
    let target = folder.path().join(FROZEN);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    let ran = machine.run(&["config", "freeze", "-o", target.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out().as_str(), ran.err().as_str()), (Some(0), "", ""));
    let set =
        |ahead: &str| [format!("XVDGUARD_READ_AHEAD_KB={ahead}"), "XVDGUARD_SCHEDULER=none".into()];
    assert_eq!(queue(folder.path(), "xvdb"), set("512"));
    assert_eq!(queue(folder.path(), "xvdc"), set("64"));
}

/// Characters that a line of `key=value` could stumble over.
#[test]
fn a_pattern_of_any_characters_reaches_early_boot_as_it_is() {
    let folder = recordings::unpack("6.1", "after").unwrap().unwrap();
    let path = folder.path().join("etc/xvdguard");
    fs::create_dir_all(&path).unwrap();
    for (pattern, matches) in [
        ("xvd*\\nbarrier.mode=off", false),
        ("*\\\\x0a", false),
        ("xvdb", true),
        ("*=*#*", false),
        ("  xvdb", false),
        ("xvd\\u0062", true),
    ] {
        let text = format!("[[queue]]\nmatch = \"{pattern}\"\nnomerges = 1\n");
        let machine = Machine::configured(&text);
        fs::write(path.join("frozen.policy"), frozen(&machine)).unwrap();
        let lines = queue(folder.path(), "xvdb");
        assert_eq!(lines == ["XVDGUARD_NOMERGES=1"], matches, "{pattern}: {lines:?}");
    }
}

#[test]
fn the_hash_tells_whether_a_new_image_is_needed() {
    let of = |text: &str| hash(&frozen(&Machine::configured(text))).to_owned();
    let none = of("");
    assert_eq!(hash(&frozen(&Machine::with(&[]))), none);
    for same in [
        "[barrier]\nmode = \"auto\"\n",
        "[barrier]\nrewrite_fstab = \"never\"\n",
        "[daemon]\ntick = \"10s\"\n",
        "[reboot]\nat_most = 0\n",
    ] {
        assert_eq!(of(same), none, "{same}");
    }
    let mut hashes = vec![none];
    for other in [
        "[barrier]\nmode = \"on\"\n",
        "[barrier]\nlever = \"queue\"\n",
        "[[queue]]\nnomerges = 1\n",
        "[[queue]]\nnomerges = 2\n",
        "[[queue]]\nmatch = \"xvda\"\nnomerges = 2\n",
    ] {
        let hash = of(other);
        assert!(!hashes.contains(&hash), "{other}");
        hashes.push(hash);
    }
}

/// The words of one boot do not belong into the image of all later ones.
#[test]
fn the_kernel_command_line_is_not_frozen() {
    let machine = Machine::configured("[barrier]\nmode = \"on\"\n");
    let before = frozen(&machine);
    machine.write("proc/cmdline", "barrier=off xvdguard=off xvdguard.recover=report\n");
    assert_eq!(frozen(&machine), before);
    assert!(before.contains("barrier.mode=on\n"));
    let shown = machine.run(&["--json", "config", "show"]).out();
    assert!(shown.contains(&format!("\"hash\": \"{}\"", hash(&before))), "{shown}");
}

#[test]
fn a_wrong_configuration_leaves_the_frozen_one_as_it_was() {
    let machine = Machine::configured("[barrier]\nmode = \"of\"\n");
    machine.write(FROZEN, "what was there\n");
    let target = machine.within(FROZEN);
    let ran = machine.run(&["config", "freeze", "-o", target.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""));
    assert_eq!(fs::read_to_string(&target).unwrap(), "what was there\n");
    let ran = machine.run(&["config", "freeze"]);
    assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""));
}

#[test]
fn what_cannot_be_written_is_said() {
    let machine = Machine::with(&[]);
    let ran = machine.run(&["config", "freeze", "-o", "/no/such/folder/frozen.policy"]);
    assert_eq!((ran.code, ran.out().as_str()), (Some(73), ""));
    assert!(ran.err().contains("/no/such/folder"), "{}", ran.err());
    let Some(_) = requires::root() else { return };
    // A device is written to, not renamed over.
    let ran = machine.run(&["config", "freeze", "-o", "/dev/full"]);
    assert_eq!(ran.code, Some(73));
    assert!(ran.err().contains("No space left on device"), "{}", ran.err());
    assert!(!fs::metadata("/dev/full").unwrap().is_file());
}

/// A real boot report, and what is noted about an image that has to be rebuilt.
#[test]
fn an_image_that_carries_another_policy_is_noted_until_it_is_rebuilt() {
    let folder = recordings::unpack("6.1", "before").unwrap().unwrap();
    fs::create_dir(folder.path().join("run")).unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let run = |program: &str, words: &[&str]| {
        let mut command = programs::command(program).unwrap();
        command.args(words).arg("--root").arg(folder.path());
        command.arg("--xenstore").arg(folder.path().join("xenstore.txt"));
        programs::run(command, LIMIT).unwrap()
    };
    let boot = || assert_eq!(run("xvdguard-early", &["boot"]).code, Some(0));
    let notes = || {
        let ran = run("xvdguard", &["config", "check"]);
        assert_eq!(ran.code, Some(0), "{}", ran.err());
        ran.err()
    };
    boot();
    assert_eq!(notes(), "", "defaults there and here");
    write("etc/xvdguard/config.toml", "[barrier]\nlever = \"queue\"\n[daemon]\ntick = \"7s\"\n");
    assert!(notes().contains("an initramfs that was rebuilt"), "{}", notes());
    let policy = run("xvdguard", &["config", "freeze"]).out();
    write(FROZEN, &policy);
    boot();
    assert_eq!(notes(), "");
    write("proc/sys/kernel/random/boot_id", "00000000-0000-0000-0000-000000000000\n");
    write("etc/xvdguard/config.toml", "");
    assert_eq!(notes(), "", "a report of another boot says nothing about this image");
}

/// Early boot reads 64 KiB.
#[test]
fn more_than_early_boot_reads_is_wrong_already_here() {
    let entry = |index: usize| format!("[[queue]]\nmatch = \"xvd{index}\"\nnomerges = 1\n");
    let text = |count: usize| (0..count).map(entry).collect::<String>();
    let machine = Machine::configured(&text(900));
    assert!(frozen(&machine).len() < 65_536);
    machine.write("etc/xvdguard/config.toml", text(1200));
    let said = machine.said();
    assert!(said.contains("[[queue]] entries take") && said.contains("65536"), "{said}");
}
