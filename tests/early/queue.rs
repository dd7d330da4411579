//! `queue NAME`: what the udev rule imports, and nothing else.

use std::time::Duration;

use harness::guest::Guest;
use harness::guest_xenstore::VbdSpec;
use harness::{faulty_disk::FaultyDisk, requires};

/// udev waits for the answer to each disk, and the boot for udev: the program gives
/// xenstore 200 ms, not the 3 s of `boot`. The rest is for starting it on a busy machine.
const IN_TIME: Duration = Duration::from_secs(2);
const RULES: &str = include_str!("fixtures/queue-rules.policy");

/// xvda on LVM, xvdb on DRBD, xvdc on a file.
fn guest() -> Guest {
    let mut guest = Guest::new().unwrap();
    for (kind, params) in [("phy", "/dev/vg0/mail"), ("phy", "/dev/drbd3"), ("qdisk", "aio:/a.img")]
    {
        let spec = VbdSpec { kind, params, ..VbdSpec::default() };
        guest.add_disk(FaultyDisk::new(1 << 20).unwrap(), &spec).unwrap();
    }
    guest
}

fn policy(guest: &Guest, text: &str) {
    guest.root.write("etc/xvdguard/frozen.policy", text).unwrap();
}

/// The lines for one disk, in the order of their names.
fn lines(guest: &Guest, name: &str) -> Vec<String> {
    let ran = guest.early(&["queue", name]).unwrap();
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{name}");
    assert!(ran.took < IN_TIME, "{:?}", ran.took);
    assert_eq!(ran.left(), [""; 0], "{name}");
    println!("{:7.1?}  {name}", ran.took);
    let mut lines: Vec<String> = ran.out().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn for_each_attribute_the_last_rule_that_matches_wins() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = guest();
    policy(&guest, RULES);
    let before = guest.flushes().unwrap();
    let (ahead, scheduler) = ("XVDGUARD_READ_AHEAD_KB=512", "XVDGUARD_SCHEDULER=none");
    assert_eq!(lines(&guest, "xvda"), [ahead, scheduler]);
    assert_eq!(lines(&guest, "xvdb"), ["XVDGUARD_MAX_SECTORS_KB=4", "XVDGUARD_READ_AHEAD_KB=4096"]);
    assert_eq!(lines(&guest, "xvdc"), [ahead]);
    // A disk that nobody knows, and a name that is none.
    for name in ["xvdz", "loop0", "xvda;reboot", "../xvda", "*"] {
        assert_eq!(lines(&guest, name), [""; 0], "{name}");
    }
    assert_eq!(guest.flushes().unwrap(), before);
    assert!(!guest.root.within("run/xvdguard").exists());
    guest.root.write("proc/cmdline", "root=/dev/vda1 xvdguard=off\n").unwrap();
    assert_eq!(lines(&guest, "xvda"), [""; 0]);
}

#[test]
fn a_policy_that_says_nothing_clear_sets_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = guest();
    assert_eq!(lines(&guest, "xvda"), [""; 0], "no policy");
    for text in [
        "",
        "queue.match=*\nqueue.max_sectors_kb=4\n",
        "xvdguard-policy=1\nqueue.max_sectors_kb=4\n",
        "xvdguard-policy=1\nqueue.match=*\nqueue.write_cache=write through\n",
        "xvdguard-policy=1\nqueue.match=*\nqueue.scheduler=none; reboot\n",
        "xvdguard-policy=1\nqueue.match=*\nqueue.max_sectors_kb=$(reboot)\n",
        "xvdguard-policy=1\nqueue.match=*\nqueue.max_sectors_kb=4\\x0aRUN=reboot\n",
    ] {
        policy(&guest, text);
        assert_eq!(lines(&guest, "xvda"), [""; 0], "{text:?}");
    }
}

/// A system that runs has thawed its own: the image's is of the day that it was made.
#[test]
fn the_policy_of_the_running_system_comes_before_that_of_the_image() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = guest();
    policy(&guest, "xvdguard-policy=1\nqueue.match=*\nqueue.nomerges=1\n");
    assert_eq!(lines(&guest, "xvda"), ["XVDGUARD_NOMERGES=1"]);
    let newer = "xvdguard-policy=1\nqueue.match=*\nqueue.nomerges=2\n";
    guest.root.write("run/xvdguard/frozen.policy", newer).unwrap();
    assert_eq!(lines(&guest, "xvda"), ["XVDGUARD_NOMERGES=2"]);
}

/// It takes the connection and never answers; then it is gone. What needs no backend is answered.
#[test]
fn a_silent_xenstore_costs_the_rules_that_need_it_only() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = guest();
    policy(&guest, RULES);
    guest.store.freeze().unwrap();
    assert_eq!(lines(&guest, "xvdb"), ["XVDGUARD_READ_AHEAD_KB=512"]);
    guest.store.kill();
    assert_eq!(lines(&guest, "xvdb"), ["XVDGUARD_READ_AHEAD_KB=512"]);
}

#[test]
fn words_that_nobody_understands_are_a_usage_error_here() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = guest();
    for words in [&["queue"][..], &["queue", "xvda", "xvdb"], &["queue", "xvda", "--fast"]] {
        let ran = guest.early(words).unwrap();
        assert_eq!((ran.code, ran.out().as_str()), (Some(64), ""), "{words:?}");
    }
}
