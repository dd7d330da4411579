//! Queue limits of the policy: what the kernel's own attributes read after early boot.

use std::thread;

use harness::blkback::refuse_flushes;
use harness::fault::{Answer, Fault};
use harness::guest::Guest;
use harness::requires;

use crate::setup::{boot, report, verdict, write_cache};

fn policy(guest: &Guest, lines: &[&str]) {
    let policy = format!("xvdguard-policy=1\n{}\n", lines.join("\n"));
    guest.root.write("etc/xvdguard/frozen.policy", &policy).unwrap();
}

#[test]
fn each_limit_is_set_on_the_disks_that_match() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    let queue = |index: usize, name: &str| guest.disks[index].device.queue(name).unwrap();
    let before = ["max_sectors_kb", "read_ahead_kb", "rotational"].map(|name| queue(0, name));
    let was_rotational = queue(1, "rotational") == "1";
    let rotational = if was_rotational { "queue.rotational=0" } else { "queue.rotational=1" };
    policy(
        &guest,
        &[
            "queue.match=*",
            "queue.backend=drbd",
            "queue.max_sectors_kb=8",
            "queue.match=xvdb",
            "queue.read_ahead_kb=4096",
            "queue.max_sectors_kb=64",
            rotational,
        ],
    );
    boot(&guest);
    assert_eq!([queue(1, "max_sectors_kb"), queue(1, "read_ahead_kb")], ["64", "4096"]);
    assert_eq!(queue(1, "rotational") == "1", !was_rotational);
    assert_eq!(
        ["max_sectors_kb", "read_ahead_kb", "rotational"].map(|name| queue(0, name)),
        before
    );
    let said = report(&guest).unwrap()["said"].to_string();
    assert!(said.contains("xvdb queue/read_ahead_kb"), "{said}");
    // Flushes are none of a limit's business.
    assert_eq!(
        (verdict(&guest, "xvdb").as_str(), write_cache(&guest, 1).as_str()),
        ("proven", "write back")
    );
}

/// The kernel lets nobody change a queue while a request of it is under way.
#[test]
fn a_disk_that_hangs_keeps_no_other_from_being_switched_off() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    policy(&guest, &["queue.match=*", "queue.max_sectors_kb=64", "queue.nr_requests=32"]);
    guest.disks[0].storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    let (storage, key) = (&guest.disks[1].storage, guest.flush_key(1));
    let ran = refuse_flushes(storage, &guest.store, &key, || boot(&guest)).unwrap();
    assert_eq!(write_cache(&guest, 1), "write through", "{ran:?}");
    assert_eq!(guest.disks[1].device.queue("max_sectors_kb").unwrap(), "64");
    assert_eq!(
        (verdict(&guest, "xvda"), verdict(&guest, "xvdb")),
        ("untested".into(), "refused".into())
    );
    guest.disks[0].storage.heal().unwrap();
    thread::yield_now();
}

/// Its super block is read for what it says of errors alone: that waits until all else is done.
#[test]
fn a_root_whose_reads_hang_keeps_no_other_from_its_limits() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    policy(&guest, &["queue.match=xvdb", "queue.max_sectors_kb=64"]);
    guest.root.write("proc/cmdline", "root=/dev/xvda ro\n").unwrap();
    let disk = &guest.disks[0];
    disk.storage.set(Fault::Read(Answer::Hang)).unwrap();
    let node = std::fs::File::open(disk.device.node()).unwrap();
    rustix::fs::fadvise(node, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    boot(&guest);
    assert_eq!(disk.storage.counters().unwrap().hanging, 1, "the super block was asked for");
    assert_eq!(guest.disks[1].device.queue("max_sectors_kb").unwrap(), "64");
    assert_eq!(verdict(&guest, "xvdb"), "proven");
    disk.storage.heal().unwrap();
}
