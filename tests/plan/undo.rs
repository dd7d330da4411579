//! A step that fails takes back what was done before it.

use crate::setup::{Machine, ready};

const FSTAB: &str = "/dev/xvda /a ext4 rw 0 2\n/dev/xvdb /b ext4 rw 0 2\n";

/// Two volumes whose flushes a person switches off; the second one has counted errors, so it is
/// not remounted.
fn half_way(lever: &str) -> Machine {
    let config = format!("[barrier]\nmode = \"off\"\nlever = \"{lever}\"\n");
    let mut machine = Machine::new(&["ext4", "ext4"], &config);
    machine.mount(0, "/a", "ext4", "rw");
    machine.mount(1, "/b", "ext4", "rw");
    machine.guest.root.write("sys/fs/ext4/xvdb/errors_count", "3\n").unwrap();
    machine.write_fstab(FSTAB);
    machine
}

#[test]
fn a_remount_that_fails_undoes_the_other_one_and_fstab() {
    let Some(_) = ready("ext4") else { return };
    let machine = half_way("mount");
    let said = machine.ends_with(1, &["apply"]);
    for part in [
        "/a: remounted with barrier=0",
        "/a: undone, remounted with barrier=1",
        "/etc/fstab: undone, has its bytes again",
        "cannot remount /b: it has counted 3 errors",
        "what was done before is undone",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(machine.fstab(), FSTAB);
    assert!(!machine.is_without_barriers("/a") && !machine.is_without_barriers("/b"));
    let left = machine.guest.root.within("var/lib/xvdguard").read_dir().unwrap().count();
    assert_eq!(left, 0);
    assert_eq!(machine.document("apply")["outcome"], "undone");
    // What was in the way is gone, and it works.
    machine.guest.root.write("sys/fs/ext4/xvdb/errors_count", "0\n").unwrap();
    machine.ends_with(0, &["apply"]);
    assert!(machine.is_without_barriers("/a") && machine.is_without_barriers("/b"));
}

#[test]
fn a_fstab_that_cannot_be_replaced_undoes_the_queues() {
    let Some(_) = ready("ext4") else { return };
    let machine = half_way("auto");
    machine.guest.root.write("etc/.fstab.swp", "b0VIM 9.0").unwrap();
    let said = machine.ends_with(1, &["apply"]);
    assert!(said.contains("xvdb queue/write_cache: undone, is write back again"), "{said}");
    for disk in &machine.guest.disks {
        assert_eq!(disk.device.queue("write_cache").unwrap(), "write back");
    }
    assert_eq!(machine.fstab(), FSTAB);
}

#[test]
fn a_write_through_on_a_refusing_disk_stays() {
    let Some(_) = ready("ext4") else { return };
    let machine = Machine::new(&["ext4"], "");
    machine.refuse(0);
    machine.write_fstab("/dev/xvda / ext4 rw 0 1\n");
    machine.guest.root.write("etc/.fstab.swp", "b0VIM 9.0").unwrap();
    let said = machine.ends_with(1, &["apply"]);
    assert!(said.contains("xvda queue/write_cache: stays write through"), "{said}");
    assert_eq!(machine.guest.disks[0].device.queue("write_cache").unwrap(), "write through");
    assert_eq!(machine.document("status")["disks"][0]["switched_off_by_us"], true);
}
