//! `remount,barrier=0` and `=1`, as the kernel shows them.

use harness::requires;

use crate::setup::{Machine, ready};

const MOUNT: &str = "[barrier]\nlever = \"mount\"\n";
const FSTAB: &str = "# static\n/dev/xvda\t/srv\text4\tnoatime\t0 2\n";
const EDITED: &str =
    "# static\n# xvdguard: was noatime\n/dev/xvda\t/srv\text4\tnoatime,barrier=0\t0 2\n";

/// A volume on a backend that refused a flush; fstab has a line for it.
fn refused(fstype: &str) -> Machine {
    let mut machine = Machine::new(&[fstype], MOUNT);
    machine.refuse(0);
    machine.mount(0, "/srv", fstype, "noatime,nosuid,nodev");
    machine.write_fstab(&FSTAB.replace("ext4", fstype));
    machine
}

#[test]
fn a_refusing_backend_gets_barrier_0_in_fstab_and_in_force() {
    for fstype in ["ext4", "ext3"] {
        let Some(_) = ready(fstype) else { return };
        let machine = refused(fstype);
        let before = machine.options("/srv");
        let shown = machine.ends_with(10, &["plan"]);
        assert!(shown.contains("+# xvdguard: was noatime\n"), "{shown}");
        assert!(shown.contains("set      /srv: remount,barrier=0"), "{shown}");
        assert!(!machine.is_without_barriers("/srv"));
        let said = machine.ends_with(0, &["apply"]);
        assert!(said.contains("/srv: remounted with barrier=0 (xvda refuses flushes"), "{said}");
        assert_eq!(machine.fstab(), EDITED.replace("ext4", fstype));
        // Nothing else has changed.
        let (mount, mut all) = machine.options("/srv");
        all.retain(|option| option != "nobarrier");
        assert_eq!((mount, all), before);
        assert!(machine.is_without_barriers("/srv"));
    }
}

#[test]
fn applied_twice_nothing_changes() {
    let Some(_) = ready("ext4") else { return };
    let machine = refused("ext4");
    machine.ends_with(0, &["apply"]);
    let (options, fstab) = (machine.options("/srv"), machine.fstab());
    assert!(machine.ends_with(0, &["plan"]).contains("nothing to change"));
    assert!(machine.ends_with(0, &["apply"]).contains("nothing to change"));
    assert_eq!((machine.options("/srv"), machine.fstab()), (options, fstab));
    assert_eq!(machine.document("apply")["outcome"], "nothing");
}

#[test]
fn a_dry_run_shows_the_plan_and_does_nothing() {
    let Some(_) = ready("ext4") else { return };
    let machine = refused("ext4");
    assert!(machine.ends_with(0, &["apply", "--dry-run"]).contains("remount,barrier=0"));
    assert_eq!(machine.fstab(), FSTAB);
    assert!(!machine.is_without_barriers("/srv"));
}

#[test]
fn a_backend_that_can_flush_again_gets_its_barriers_back() {
    let Some(_) = ready("ext4") else { return };
    let Some(_) = requires::io_uring() else { return };
    let machine = refused("ext4");
    machine.ends_with(0, &["apply"]);
    machine.reconnect(0);
    let plan = machine.document("plan");
    assert_eq!(plan["fstab"][0]["kind"], "restore", "{plan:#}");
    assert_eq!(plan["fstab"][0]["rule"], "flush-proven");
    assert_eq!(plan["remounts"][0]["option"], "barrier=1");
    machine.ends_with(0, &["apply"]);
    assert_eq!(machine.fstab(), FSTAB);
    assert!(!machine.is_without_barriers("/srv"));
    assert!(!machine.guest.root.within("var/lib/xvdguard/fstab.orig").exists());
}

#[test]
fn revert_does_not_send_flushes_that_would_fail() {
    let Some(_) = ready("ext4") else { return };
    let machine = refused("ext4");
    machine.ends_with(0, &["apply"]);
    let said = machine.ends_with(0, &["revert"]);
    assert!(said.contains("every byte is as before"), "{said}");
    assert!(said.contains("/srv: stays without barriers until it is mounted again"), "{said}");
    assert_eq!(machine.fstab(), FSTAB);
    assert!(machine.is_without_barriers("/srv"));
}

#[test]
fn what_is_mounted_read_only_stays_so() {
    let Some(_) = ready("ext4") else { return };
    let mut machine = Machine::new(&["ext4"], MOUNT);
    machine.refuse(0);
    machine.mount(0, "/srv", "ext4", "ro");
    machine.write_fstab(FSTAB);
    let before = machine.options("/srv");
    let said = machine.ends_with(0, &["apply"]);
    assert!(said.contains("it is mounted read-only"), "{said}");
    assert_eq!((machine.fstab(), machine.options("/srv")), (EDITED.into(), before));
}
