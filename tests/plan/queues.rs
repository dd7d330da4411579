//! `queue/write_cache`, the lever of every kernel since 4.7, on a real queue.

use crate::setup::{Machine, ready};

const OFF: &str = "[barrier]\nmode = \"off\"\n";
const FSTAB: &str = "/dev/xvda / ext3\n/dev/xvdb /srv xfs defaults 0 0";
const EDITED: &str = "# xvdguard: was\n/dev/xvda / ext3 barrier=0\n/dev/xvdb /srv xfs defaults 0 0";

fn write_caches(machine: &Machine) -> Vec<String> {
    let disks = machine.guest.disks.iter();
    disks.map(|disk| disk.device.queue("write_cache").unwrap()).collect()
}

#[test]
fn a_person_switches_all_flushes_off_and_on_again() {
    let Some(_) = ready("ext3") else { return };
    let machine = Machine::new(&["ext3", "ext3"], OFF);
    machine.write_fstab(FSTAB);
    machine.ends_with(0, &["apply"]);
    assert_eq!(write_caches(&machine), ["write through", "write through"]);
    assert_eq!(machine.fstab(), EDITED);
    assert!(machine.ends_with(0, &["plan"]).contains("nothing to change"));
    let status = machine.document("status");
    assert_eq!(status["disks"][0]["verdict"], "switched-off", "{status:#}");
    assert_eq!(status["disks"][0]["switched_off_by_us"], true);
    machine.ends_with(0, &["revert"]);
    assert_eq!(write_caches(&machine), ["write back", "write back"]);
    assert_eq!(machine.fstab(), FSTAB);
}

#[test]
fn a_refused_disk_stays_off_when_all_is_taken_back() {
    let Some(_) = ready("ext4") else { return };
    let machine = Machine::new(&["ext4"], "");
    machine.refuse(0);
    machine.write_fstab("/dev/xvda / ext4 rw 0 1\n");
    machine.ends_with(0, &["apply"]);
    assert_eq!(write_caches(&machine), ["write through"]);
    let said = machine.ends_with(0, &["revert"]);
    assert!(said.contains("xvda queue/write_cache: stays write through"), "{said}");
    assert_eq!(write_caches(&machine), ["write through"]);
    assert_eq!(machine.fstab(), "/dev/xvda / ext4 rw 0 1\n");
}

#[test]
fn another_directory_than_the_machine_gets_its_fstab_only() {
    let Some(_) = ready("ext4") else { return };
    let machine = Machine::new(&["ext4"], OFF);
    machine.write_fstab("/dev/xvda / ext4 rw 0 1\n");
    let ran = machine.guest.xvdguard(&["apply"]).unwrap();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out().contains("queues and mounts are left alone: --root"), "{}", ran.out());
    assert_eq!(write_caches(&machine), ["write back"]);
    assert_eq!(machine.fstab(), "# xvdguard: was rw\n/dev/xvda / ext4 rw,barrier=0 0 1\n");
}
