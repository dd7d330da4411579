//! A flush that never comes back: the caller gets its answer in time all the same, and nothing of
//! the caller's hangs with the child that was left behind.

use std::fs::{self, OpenOptions};
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::fs::MetadataExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use harness::deadline::{seen, within};
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::requires;
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::probe::{Orders, probe_and_judge};
use xvdguard_linux::world::{Places, World};
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::verdict::report::DiskReport;

use crate::partition::Partition;
use crate::setup::{document, probe, verdict};

const FLUSH: Duration = Duration::from_millis(400);
/// What a busy machine may add to a deadline.
const SLACK: Duration = Duration::from_millis(600);
const SOON: Duration = Duration::from_secs(10);

/// Children of this process are counted: one test at a time makes them.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Probes all disks as the library, so that the deadline can be short.
fn probe_by_library(guest: &Guest) -> (Vec<DiskReport>, Duration) {
    let places = Places {
        root: Some(guest.root.path().into()),
        xenstore: Some(guest.store.socket().into()),
        kernel_log: None,
    };
    let far = Instant::now() + SOON;
    let mut world = World::open(&places, far).unwrap();
    let mut seen = world.observe(Look { depth: Depth::All, deadline: far });
    let orders = Orders { wants: &|_| true, flush: FLUSH, deadline: far, after: far };
    let begin = Instant::now();
    let reports = probe_and_judge(&mut world, &mut seen, &[], &orders);
    (reports, begin.elapsed())
}

/// Forks of this process that still live, as `PID STATE`; a helper has another program.
fn forks() -> Vec<String> {
    let ours = fs::metadata("/proc/self/exe").unwrap();
    let parent = std::process::id().to_string();
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let living = processes.filter_map(|entry| {
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let (state, above) = (fields.next()?, fields.next()?);
        let program = fs::metadata(entry.path().join("exe")).ok()?;
        let is_fork = above == parent && program.ino() == ours.ino() && state != "Z";
        is_fork.then(|| format!("{} {state}", entry.file_name().to_string_lossy()))
    });
    living.collect()
}

fn wait_for_forks(count: usize) {
    // A program that is just being started is a fork too, for a moment.
    let reached = seen(SOON, || (forks().len() == count).then_some(()));
    assert!(reached.is_some(), "{count} wanted: {:?}", forks());
}

fn ends_soon(mut pipe: PipeReader) -> bool {
    within(SLACK, move || pipe.read_to_end(&mut Vec::new())).is_some()
}

#[test]
fn a_hanging_flush_is_silent_at_its_deadline_and_the_other_disks_are_judged() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let _alone = alone();
    let guest = Guest::with_disks(3).unwrap();
    guest.disks[1].storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let (pipe, held) = pipe().unwrap();
    let (reports, took) = probe_by_library(&guest);
    assert!((FLUSH..FLUSH + SLACK).contains(&took), "{took:?}");
    let verdicts: Vec<_> = reports.iter().map(|report| report.verdict).collect();
    let (proven, untested) = (FlushVerdict::Proven, FlushVerdict::Untested);
    assert_eq!(verdicts, [proven, untested, proven], "{reports:?}");
    assert!(reports[1].reason.contains("silent"), "{}", reports[1].reason);
    drop(held);
    assert!(ends_soon(pipe), "a child holds a pipe of the caller's");
    assert_eq!(guest.disks[1].storage.counters().unwrap().hanging, 1);
    wait_for_forks(1);
    guest.disks[1].storage.heal().unwrap();
    wait_for_forks(0);
}

/// The kernel makes whoever changes a queue wait for its requests, and whoever reads the queue
/// meanwhile for the writer, beyond any signal (6.18).
#[test]
fn a_queue_that_somebody_changes_under_a_hanging_flush_holds_nobody_up() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let _alone = alone();
    let guest = Guest::with_disks(2).unwrap();
    let disk = &guest.disks[0];
    disk.storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let limit = disk.device.sysfs().join("queue/max_sectors_kb");
    let is_over = AtomicBool::new(false);
    let (reports, took) = thread::scope(|scope| {
        scope.spawn(|| {
            seen(SOON, || (disk.storage.counters().ok()?.hanging == 1).then_some(()));
            thread::spawn(move || fs::write(limit, "64"));
            // Whoever hangs in the queue is let go in the end, and is late.
            seen(SOON, || is_over.load(Ordering::SeqCst).then_some(()));
            disk.storage.heal().unwrap();
        });
        let judged = probe_by_library(&guest);
        is_over.store(true, Ordering::SeqCst);
        judged
    });
    assert!((FLUSH..FLUSH + SLACK).contains(&took), "{took:?}");
    assert_eq!(reports[1].verdict, FlushVerdict::Proven, "{reports:?}");
    wait_for_forks(0);
}

/// The same before the first look: somebody else's flush hangs, and a limit is being changed.
#[test]
fn a_queue_that_hangs_before_the_first_look_hides_no_other_disk() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let _alone = alone();
    let guest = Guest::with_disks(3).unwrap();
    let disk = &guest.disks[0];
    disk.storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let queue = disk.device.sysfs().join("queue");
    let node = OpenOptions::new().write(true).open(disk.device.node()).unwrap();
    let stuck = thread::spawn(move || node.sync_all());
    seen(SOON, || (disk.storage.counters().ok()?.hanging == 1).then_some(()));
    let limit = queue.join("max_sectors_kb");
    let changing = thread::spawn(move || fs::write(limit, "64"));
    let hangs = || {
        let file = queue.join("write_cache");
        within(Duration::from_millis(100), move || fs::read(file)).is_none().then_some(())
    };
    seen(SOON, hangs).expect("nobody hangs in the queue: the test is void");
    let (reports, took) = probe_by_library(&guest);
    let status = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    disk.storage.heal().unwrap();
    assert!(took < SOON, "{took:?}");
    let verdicts: Vec<_> = reports.iter().map(|report| report.verdict).collect();
    let (proven, untested) = (FlushVerdict::Proven, FlushVerdict::Untested);
    assert_eq!(verdicts, [untested, proven, proven], "{reports:?}");
    let oddities = status["oddities"].to_string();
    assert!(oddities.contains("the queue of xvda does not answer"), "{oddities}");
    let _ = (stuck.join(), changing.join());
    wait_for_forks(0);
}

#[test]
fn the_program_ends_at_its_deadline_and_leaves_only_the_stuck_child() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    guest.disks[0].storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert!(ran.took < Duration::from_secs(10) + 2 * SLACK, "{:?}", ran.took);
    let (word, reason) = verdict(&said, "xvda");
    assert_eq!((ran.code, word), (Some(1), "untested"));
    assert!(reason.contains("silent"), "{reason}");
    assert_eq!(verdict(&said, "xvdb").0, "proven", "{said:#}");
    seen(SOON, || (ran.left().len() == 1).then_some(()));
    assert_eq!(ran.left().len(), 1, "{:?}", ran.left());
    guest.disks[0].storage.heal().unwrap();
    seen(SOON, || ran.left().is_empty().then_some(()));
    assert_eq!(ran.left(), [""; 0]);
}

/// The last close of a block device writes its dirty pages back (bdev_release, block/bdev.c), and
/// the last to close may be a child whose flush has long come back.
#[test]
fn a_child_that_hangs_in_its_last_close_holds_nobody_up() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("addpart") else { return };
    let _alone = alone();
    let (guest, partition) = guest_on_a_partition();
    let storage = &guest.disks[0].storage;
    let mut writer = OpenOptions::new().write(true).open(&partition.node).unwrap();
    writer.write_all(&[1; 65536]).unwrap();
    storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let (reports, took) = thread::scope(|scope| {
        scope.spawn(|| {
            seen(SOON, || (storage.counters().ok()?.hanging == 1).then_some(()));
            storage.set(Fault::Write(Answer::Hang)).unwrap();
            drop(writer);
            storage.set(Fault::Fsync(Answer::Ok)).unwrap();
        });
        probe_by_library(&guest)
    });
    assert!((FLUSH..FLUSH + SLACK).contains(&took), "{took:?}");
    assert_eq!(reports[0].verdict, FlushVerdict::Untested, "{reports:?}");
    assert!(storage.counters().unwrap().hanging > 0, "no write hangs: the test is void");
    wait_for_forks(1);
    storage.heal().unwrap();
    wait_for_forks(0);
}

/// A guest whose disk is a partition, since nobody but its users has that open.
fn guest_on_a_partition() -> (Guest, Partition) {
    let mut guest = Guest::new().unwrap();
    let disk = FaultyDisk::new(8 << 20).unwrap();
    let partition = Partition::add(&disk.device);
    guest.add_blkfront_disk(disk, &[("write_cache", "write back")]).unwrap();
    guest.root.write("sys/block/xvda/dev", &partition.number).unwrap();
    let node = guest.root.within("dev/xvda");
    fs::remove_file(&node).unwrap();
    fs::hard_link(&partition.node, &node).unwrap();
    (guest, partition)
}
