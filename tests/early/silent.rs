//! What never answers: the storage, xenstored, or both. Early boot ends in time without them.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use harness::blkback::refuse_flushes;
use harness::deadline::{seen, within};
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::requires;

use crate::setup::{boot, disk, line, verdict, write_cache};

const SOON: Duration = Duration::from_secs(10);

type Silence = fn(&mut Guest);

fn hang(guest: &Guest) {
    guest.disks[0].storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
}

fn policy(guest: &Guest, lines: &str) {
    let policy = format!("xvdguard-policy=1\n{lines}\n");
    guest.root.write("etc/xvdguard/frozen.policy", &policy).unwrap();
}

/// What falls silent, and how many children may be stuck in it afterwards.
const SILENCES: [(&str, Silence, usize); 6] = [
    ("a xenstored that hangs", |guest| guest.store.freeze().unwrap(), 0),
    ("a xenstored that was killed", |guest| guest.store.kill(), 0),
    ("a storage that never answers", |guest| hang(guest), 1),
    (
        "both",
        |guest| {
            hang(guest);
            guest.store.freeze().unwrap();
        },
        1,
    ),
    (
        "a storage that never answers, with root on it, to be mounted otherwise",
        |guest| {
            hang(guest);
            policy(guest, "barrier.mode=off\nbarrier.lever=mount");
            guest.root.write("proc/cmdline", "root=/dev/xvda ro\n").unwrap();
        },
        1,
    ),
    (
        "a storage that never answers, and limits for its queue",
        |guest| {
            hang(guest);
            policy(guest, "queue.match=*\nqueue.nr_requests=64\nqueue.scheduler=none");
        },
        2,
    ),
];

#[test]
fn who_never_answers_is_not_waited_for() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    for (what, fall_silent, stuck) in SILENCES {
        let mut guest = Guest::with_disks(2).unwrap();
        fall_silent(&mut guest);
        let ran = boot(&guest);
        println!("{:7.1?}  {what}", ran.took);
        assert_eq!(line(&guest), "", "{what}");
        // What is not known is never taken for absent.
        assert!(["untested", "proven"].contains(&&*verdict(&guest, "xvda")), "{what}");
        seen(SOON, || (ran.left().len() <= stuck).then_some(()));
        assert!(ran.left().len() <= stuck, "{what}: {:?}", ran.left());
        guest.disks[0].storage.heal().unwrap();
        seen(SOON, || ran.left().is_empty().then_some(()));
        assert_eq!(ran.left(), [""; 0], "{what}");
    }
}

#[test]
fn a_silent_disk_is_said_to_be_silent_and_the_other_one_is_proven() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut guest = Guest::with_disks(2).unwrap();
    guest.live_log().unwrap();
    hang(&guest);
    boot(&guest);
    let silent = disk(&guest, "xvda");
    assert!(silent["reason"].as_str().unwrap().contains("silent"), "{silent:#}");
    assert_eq!(verdict(&guest, "xvdb"), "proven");
    let heard = guest.heard().unwrap();
    assert!(heard.contains("xvda untested: ") && heard.contains("xvdb proven: "), "{heard}");
}

/// Waits for a hanging request, then changes a limit of that queue. The kernel makes the writer
/// wait for the request, and whoever reads the queue meanwhile for the writer, beyond any signal.
fn change_queue(disk: &FaultyDisk) {
    let storage = &disk.storage;
    seen(SOON, || (storage.counters().ok()?.hanging > 0).then_some(())).unwrap();
    let limit = disk.device.sysfs().join("queue/max_sectors_kb");
    thread::spawn(move || fs::write(limit, "64"));
}

#[test]
fn a_queue_that_a_udev_rule_changes_under_the_flush_keeps_no_other_disk_from_being_judged() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    hang(&guest);
    let (storage, key) = (&guest.disks[1].storage, guest.flush_key(1));
    let refused = thread::scope(|scope| {
        scope.spawn(|| change_queue(&guest.disks[0]));
        refuse_flushes(storage, &guest.store, &key, || boot(&guest))
    });
    println!("{:7.1?}", refused.unwrap().took);
    assert_eq!(verdict(&guest, "xvdb"), "refused");
    assert_eq!(write_cache(&guest, 1), "write through");
    guest.disks[0].storage.heal().unwrap();
}

#[test]
fn a_queue_that_nobody_can_read_stops_no_boot() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    hang(&guest);
    let node = guest.disks[0].device.node().to_owned();
    thread::spawn(move || File::open(node).and_then(|node| node.sync_all()));
    change_queue(&guest.disks[0]);
    // Older kernels let readers through: then there is nothing to wait for.
    let cache = guest.disks[0].device.sysfs().join("queue/write_cache");
    let is_blocked = || {
        let cache = cache.clone();
        within(Duration::from_millis(50), || fs::read(cache)).is_none().then_some(())
    };
    let _ = seen(Duration::from_secs(1), is_blocked);
    let ran = boot(&guest);
    println!("{:7.1?}", ran.took);
    assert_eq!(line(&guest), "");
    guest.disks[0].storage.heal().unwrap();
    seen(SOON, || ran.left().is_empty().then_some(()));
    assert_eq!(ran.left(), [""; 0]);
}
