//! `probe --appeared`, as the udev rule asks for it: once for each disk, and only where the policy
//! probes.

use harness::guest::Guest;
use harness::requires;

/// As the udev rule calls it.
fn appeared(guest: &Guest) -> (Option<i32>, u64) {
    let before = guest.flushes().unwrap()[0];
    let ran = guest.xvdguard(&["--quiet", "probe", "--appeared", "xvda"]).unwrap();
    (ran.code, guest.flushes().unwrap()[0] - before)
}

#[test]
fn a_disk_that_appears_is_flushed_once() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    assert_eq!(appeared(&guest), (Some(0), 1));
    // udevadm trigger says again that it appeared.
    assert_eq!(appeared(&guest), (Some(0), 0));
}

#[test]
fn where_the_policy_does_not_probe_nothing_is_sent() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    for words in ["xvdguard.barrier=leave", "barrier=off", "xvdguard=off"] {
        guest.root.write("proc/cmdline", &format!("root=/dev/vda1 {words}\n")).unwrap();
        assert_eq!(appeared(&guest), (Some(0), 0), "{words}");
    }
}
