//! What the kernel log says, and what it does not reach back to.

use std::thread;
use std::time::Duration;

use harness::deadline::seen;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::requires;

use crate::setup::{has_evidence, probe, verdict};

/// A connect, as a 5.10 guest logs it.
const CONNECTED: &str = "6,1,1000000,-;blkfront: xvda: flush diskcache: enabled; persistent \
    grants: enabled; indirect descriptors: enabled; bounce buffer: enabled";
const AGAIN: &str = "6,3,3000000,-;blkfront: xvda: flush diskcache: enabled; persistent";
const REFUSED: &str = "4,2,2000000,-;blkfront: xvda: flush op failed";
const FAILED: &str = "4,2,2000000,-;blkfront: xvda: empty flush op failed";
const DROPPED: &str = "4,2,2000000,-;blkif_interrupt: 3 callbacks suppressed";
const RESUMED: &str = "6,3,3000000,-;suspending xenstore...";
/// The same words about another disk, by somebody who may write to the log, inside a line.
const OF_ANOTHER: &str = "4,2,2000000,-;blkfront: xvdb: flush op failed";
const OF_A_USER: &str = "12,2,2000000,-;blkfront: xvda: flush op failed";
const QUOTED: &str = "4,2,2000000,-;x: blkfront: xvda: flush op failed";
/// The record before it has another number than the one before.
const AFTER_A_GAP: &str = "6,700,8000000,-;some were lost";

/// Kernel, records behind the first one, verdict, a part of its reason, flushes that are sent.
type Case<'a> = (&'a str, &'a [&'a str], &'a str, &'a str, u64);

const CASES: [Case<'_>; 12] = [
    ("6.1.0", &[CONNECTED], "proven", "", 1),
    ("6.1.0", &[CONNECTED, AFTER_A_GAP], "untested", "gap", 1),
    ("6.1.0", &[AFTER_A_GAP], "untested", "gap", 1),
    ("6.1.0", &[CONNECTED, DROPPED], "untested", "gap", 1),
    ("6.1.0", &[CONNECTED, REFUSED], "refused", "EOPNOTSUPP", 0),
    ("6.12.0", &[CONNECTED, REFUSED], "refused", "EOPNOTSUPP", 0),
    ("6.12.0", &[CONNECTED, FAILED], "failing", "error", 0),
    ("6.1.0", &[CONNECTED, OF_ANOTHER], "proven", "", 1),
    ("6.1.0", &[CONNECTED, OF_A_USER], "proven", "", 1),
    ("6.1.0", &[CONNECTED, QUOTED], "proven", "", 1),
    // What failed on an earlier connection has nothing to say about this one.
    ("6.1.0", &[CONNECTED, REFUSED, AGAIN], "proven", "", 1),
    ("6.12.0", &[CONNECTED, REFUSED, RESUMED], "proven", "", 1),
];

#[test]
fn the_verdict_follows_the_log_of_this_connection() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    for (kernel, records, expected, reason, flushes) in CASES {
        guest.run_kernel(kernel).unwrap();
        guest.write_log(records).unwrap();
        guest.forget_reports().unwrap();
        let before = guest.flushes().unwrap()[0];
        let (ran, said) = probe(&guest, &[]);
        let (word, why) = verdict(&said, "xvda");
        assert_eq!(word, expected, "{kernel} {records:?}: {said:#}");
        assert!(why.contains(reason), "{kernel} {records:?}: {why}");
        assert_eq!(ran.code, Some(i32::from(expected != "proven")), "{records:?}");
        assert_eq!(guest.flushes().unwrap()[0] - before, flushes, "{kernel} {records:?}");
    }
}

#[test]
fn without_a_log_nothing_is_proven() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    std::fs::remove_file(guest.root.within("dev/kmsg")).unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(1), "untested"), "{said:#}");
    assert!(said["oddities"].to_string().contains("dev/kmsg"), "{said:#}");
    // Another file may stand in for it.
    let log = guest.root.within("saved-log");
    std::fs::write(&log, "6,0,0,-;Linux version 5.10\n").unwrap();
    let (ran, said) = probe(&guest, &["--kernel-log", &log.to_string_lossy()]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
}

/// From 6.11 on a backend that answers with an error leaves no other trace: fsync returns 0, the
/// key stays 1, and write_cache stays as it was.
#[test]
fn a_line_that_comes_with_the_flush_is_evidence_enough() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    for (line, expected) in [
        ("blkfront: xvda: empty flush op failed", "failing"),
        ("blkfront: xvda: flush op failed", "refused"),
        ("blkfront: xvdb: flush op failed", "proven"),
    ] {
        let mut guest = Guest::new().unwrap();
        let disk = FaultyDisk::new(1 << 20).unwrap();
        guest.add_blkfront_disk(disk, &[("write_cache", "write back")]).unwrap();
        guest.run_kernel("6.12.0").unwrap();
        guest.live_log().unwrap();
        guest.disks[0].storage.set(Fault::Fsync(Answer::Hang)).unwrap();
        let (ran, said) = thread::scope(|scope| {
            scope.spawn(|| {
                let storage = &guest.disks[0].storage;
                let arrived = || (storage.counters().ok()?.hanging > 0).then_some(());
                seen(Duration::from_secs(20), arrived).unwrap();
                guest.log(&format!("4,1,9000000,-;{line}")).unwrap();
                storage.heal().unwrap();
            });
            probe(&guest, &[])
        });
        assert_eq!(verdict(&said, "xvda").0, expected, "{line}: {said:#}");
        let shown = has_evidence(&said, "xvda", "kernel-log", line);
        assert_eq!(shown, expected != "proven", "{line}: {said:#}");
        assert_eq!(ran.code, Some(i32::from(expected != "proven")));
    }
}
