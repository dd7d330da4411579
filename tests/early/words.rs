//! The words of the kernel command line and of the policy: who decides, and that it is said.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::guest_root::GuestRoot;
use harness::guest_xenstore::VbdSpec;
use harness::requires;

use crate::setup::{boot, line, report, verdict, write_cache};

/// Policy, command line, verdict, `write_cache`, flushes, and what the kernel log must hold.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, u64, &'a str);

const OFF: &str = "barrier.mode=off";
const BACK: &str = "write back";
const THROUGH: &str = "write through";

const CASES: [Case<'_>; 14] = [
    ("", "quiet", "proven", BACK, 1, "xvda proven"),
    ("", "barrier=auto", "proven", BACK, 1, "xvda proven"),
    ("", "barrier=off", "untested", THROUGH, 0, "by \"barrier=off\" on the kernel command line"),
    ("", "barrier=0", "untested", THROUGH, 0, "by \"barrier=0\" on the kernel command line"),
    ("", "barrier=no", "untested", THROUGH, 0, "by \"barrier=no\" on the kernel command line"),
    ("", "xvdguard.barrier=off", "untested", THROUGH, 0, "by \"xvdguard.barrier=off\""),
    ("", "xvdguard.barrier=on", "proven", BACK, 1, "xvda proven"),
    ("", "xvdguard.barrier=leave", "untested", BACK, 0, "the mode says to look only"),
    ("", "barrier=off xvdguard.barrier=auto", "proven", BACK, 1, "xvda proven"),
    ("", "barrier=on quiet barrier=off", "untested", THROUGH, 0, "by \"barrier=off\""),
    ("", "barrier=perhaps", "proven", BACK, 1, "\"barrier=perhaps\" is none of"),
    ("", "quiet -- barrier=off xvdguard=off", "proven", BACK, 1, "xvda proven"),
    (OFF, "quiet", "untested", THROUGH, 0, "by the configuration"),
    (OFF, "barrier=1", "proven", BACK, 1, "xvda proven"),
];

fn say(guest: &Guest, policy: &str, words: &str) {
    let policy = format!("xvdguard-policy=1\n{policy}\n");
    guest.root.write("etc/xvdguard/frozen.policy", &policy).unwrap();
    guest.root.write("proc/cmdline", &format!("root=/dev/vda1 ro {words}\n")).unwrap();
}

#[test]
fn the_last_word_decides_and_is_named_in_the_kernel_log() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = Guest::with_disks(1).unwrap();
    for (policy, words, expected, cache, flushes, said) in CASES {
        guest.disks[0].device.set_queue("write_cache", BACK).unwrap();
        guest.live_log().unwrap();
        say(&guest, policy, words);
        let before = guest.flushes().unwrap()[0];
        boot(&guest);
        assert_eq!(
            (verdict(&guest, "xvda").as_str(), line(&guest).as_str()),
            (expected, ""),
            "{words}"
        );
        assert_eq!(write_cache(&guest, 0), cache, "{words}");
        assert_eq!(guest.flushes().unwrap()[0] - before, flushes, "{words}");
        let heard = guest.heard().unwrap();
        assert!(heard.contains(said), "{words}: {heard}");
        assert!(heard.lines().all(|line| line.starts_with("<6>xvdguard-early: ")), "{heard}");
        let price = heard.contains("after a power loss of the host");
        assert_eq!(price, cache == THROUGH, "{words}: {heard}");
    }
}

#[test]
fn the_word_that_makes_us_inert_leaves_everything_untouched() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = Guest::with_disks(1).unwrap();
    for (words, decided) in [
        ("xvdguard=off", "\"xvdguard=off\""),
        ("xvdguard=0 barrier=off", "\"xvdguard=0\""),
        ("xvdguard=on xvdguard=no", "\"xvdguard=no\""),
    ] {
        guest.live_log().unwrap();
        say(&guest, OFF, words);
        let before = guest.flushes().unwrap();
        boot(&guest);
        assert_eq!((guest.flushes().unwrap(), write_cache(&guest, 0).as_str()), (before, BACK));
        assert_eq!((report(&guest), line(&guest).as_str()), (None, ""), "{words}");
        assert!(!guest.root.within("run/xvdguard").exists(), "{words}");
        assert!(guest.heard().unwrap().contains(decided), "{words}");
    }
}

/// What an administrator finds in the real kernel log.
fn kernel_log() -> Vec<String> {
    const O_NONBLOCK: i32 = 0o4000;
    let mut log = OpenOptions::new().read(true).custom_flags(O_NONBLOCK).open("/dev/kmsg").unwrap();
    let mut lines = Vec::new();
    let mut buffer = [0; 16384];
    loop {
        match log.read(&mut buffer) {
            Ok(count) => lines.push(String::from_utf8_lossy(&buffer[..count]).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(_) => return lines,
        }
    }
}

#[test]
fn the_kernels_own_log_names_the_word_that_decided() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    // A root whose dev/kmsg is the real one, and a word that no other test uses.
    let mut guest = Guest::new().unwrap();
    guest.root = GuestRoot::new().unwrap();
    guest.add_disk(FaultyDisk::new(1 << 20).unwrap(), &VbdSpec::default()).unwrap();
    let word = format!("xvdguard.barrier=\"off\" nonce={}", std::process::id());
    say(&guest, "", &word);
    let policy = format!("xvdguard-policy=1\nnonsense.{}\n", std::process::id());
    guest.root.write("etc/xvdguard/frozen.policy", &policy).unwrap();
    boot(&guest);
    let lines = kernel_log();
    let mine = format!("nonsense.{}", std::process::id());
    let at = lines.iter().rposition(|line| line.contains(&mine)).expect("nothing was logged");
    let ours = lines[at..].iter().filter(|line| line.contains(";xvdguard-early: "));
    let ours: Vec<_> = ours.collect();
    assert!(
        ours.iter().any(|line| line.contains("by \"xvdguard.barrier=off\" on the kernel")),
        "{ours:?}"
    );
    // Facility user, level info: never taken for a line of the kernel's own.
    assert!(ours.iter().all(|line| line.starts_with("14,")), "{ours:?}");
}
