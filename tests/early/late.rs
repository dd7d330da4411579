//! A vbd that connects while early boot looks: root's device may be the first of several.

use std::fs;
use std::thread;
use std::time::Duration;

use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::requires;

use crate::setup::{boot, command, ends_well, run, verdict};

const STATE: &str = "/local/domain/0/device/vbd/51712/state";
/// What blkfront says until it has read what the backend says (xenbus: Initialised, Connected).
const CONNECTING: &str = "3";
const CONNECTED: &str = "4";
const SOON: Duration = Duration::from_millis(200);
/// As long as a boot waits for a connection; it may do more than that.
const WAIT: Duration = Duration::from_millis(700);

/// A guest whose only vbd has no disk yet.
fn guest() -> Option<Guest> {
    requires::faulty_disk("ext4")?;
    requires::xenstored()?;
    let mut guest = Guest::new().unwrap();
    let disk = FaultyDisk::new(1 << 20).unwrap();
    guest.add_blkfront_disk(disk, &[("write_cache", "write back")]).unwrap();
    move_disk(&guest, "sys/block/xvda", "sys/not-yet");
    guest.store.write(STATE, CONNECTING).unwrap();
    Some(guest)
}

fn move_disk(guest: &Guest, from: &str, to: &str) {
    fs::rename(guest.root.within(from), guest.root.within(to)).unwrap();
}

fn drive(guest: &Guest) {
    fs::create_dir_all(guest.root.within("sys/bus/xen/drivers/vbd")).unwrap();
}

#[test]
fn a_disk_that_connects_soon_is_waited_for_and_flushed() {
    let Some(guest) = guest() else { return };
    drive(&guest);
    let before = guest.flushes().unwrap();
    let command = command(&guest);
    let ran = thread::scope(|scope| {
        let ran = scope.spawn(|| ends_well(run(command)));
        thread::sleep(SOON);
        move_disk(&guest, "sys/not-yet", "sys/block/xvda");
        guest.store.write(STATE, CONNECTED).unwrap();
        ran.join().unwrap()
    });
    assert!(ran.took >= SOON, "{ran:?}");
    assert_eq!(guest.flushes().unwrap(), [before[0] + 1], "{}", verdict(&guest, "xvda"));
}

#[test]
fn one_that_never_connects_holds_the_boot_up_for_a_moment() {
    let Some(guest) = guest() else { return };
    drive(&guest);
    let ran = boot(&guest);
    assert!(ran.took >= WAIT && ran.took < 2 * WAIT, "{ran:?}");
    assert_eq!(verdict(&guest, "xvda"), "absent");
}

/// Disks of an emulated machine have vbds that stay as the toolstack made them.
#[test]
fn without_a_driver_nobody_is_waited_for() {
    let Some(guest) = guest() else { return };
    let ran = boot(&guest);
    assert!(ran.took < WAIT, "{ran:?}");
}
