//! A root that an aborted journal left with errors noted in its super block: early boot says that
//! a long check is coming, and e2fsck does it without being asked.

use std::fs;
use std::process::Command;

use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::requires;
use harness::scratch::Scratch;

use crate::setup::{boot, report};

const SAID: &str = "root: its super block notes errors";

fn said(guest: &Guest) -> String {
    guest.forget_reports().unwrap();
    boot(guest);
    report(guest).unwrap()["said"].to_string()
}

#[test]
fn a_root_with_errors_is_announced_until_e2fsck_has_checked_all_of_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = Guest::new().unwrap();
    let disk = FaultyDisk::formatted("ext4").unwrap();
    guest.add_blkfront_disk_as("xvda2", 51714, disk, &[("write_cache", "write back")]).unwrap();
    guest.root.write("proc/cmdline", "root=/dev/xvda2 ro\n").unwrap();
    assert!(!said(&guest).contains(SAID));

    let disk = &guest.disks[0];
    let folder = Scratch::new("root").unwrap();
    let mounted = disk.mount(folder.path(), "ext4", "errors=continue").unwrap();
    let trigger = format!("/sys/fs/ext4/{}/trigger_fs_error", disk.device.name());
    fs::write(trigger, "1").unwrap();
    drop(mounted);
    assert!(said(&guest).contains(SAID), "{}", said(&guest));

    let node = guest.disks[0].device.node().to_owned();
    let checked = Command::new("e2fsck").arg("-p").arg(node).output().unwrap();
    let told = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(told.contains("contains a file system with errors, check forced"), "{told}");
    assert!(!said(&guest).contains(SAID));
}

/// Only ext notes errors in a super block that is understood here, and a root that is not found,
/// as one on a network, is no failure where nothing depends on it.
#[test]
fn a_root_that_tells_nothing_is_not_spoken_of() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = Guest::new().unwrap();
    let disk = FaultyDisk::formatted("ext4").unwrap();
    guest.add_blkfront_disk_as("xvda2", 51714, disk, &[("write_cache", "write back")]).unwrap();
    for word in ["/dev/nfs", "UUID=not-there", "zfs:tank/root"] {
        guest.root.write("proc/cmdline", &format!("root={word} ro\n")).unwrap();
        let said = said(&guest);
        assert!(!said.contains("root"), "{word}: {said}");
    }
}
