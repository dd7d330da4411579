//! Disks that fail, and what the kernel above them makes of that.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::deadline::seen;
use harness::failure::Result;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::mount::Mounted;
use harness::requires;
use harness::scratch::Scratch;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

const SIZE: u64 = 1 << 20;
const SOON: Duration = Duration::from_secs(10);

/// A mounted file system on a disk that can fail. Fields are dropped from the top.
struct Volume {
    mounted: Mounted,
    disk: FaultyDisk,
    _folder: Scratch,
}

fn volume(fstype: &str) -> Result<Volume> {
    let disk = FaultyDisk::formatted(fstype)?;
    let folder = Scratch::new("volume")?;
    let mounted = disk.mount(&folder.path().join("mnt"), fstype, "errors=remount-ro")?;
    Ok(Volume { mounted, disk, _folder: folder })
}

impl Volume {
    /// Makes a new file and commits it.
    fn commit(&self, name: &str) -> io::Result<()> {
        commit(&self.mounted.target().join(name))
    }
}

fn commit(path: &Path) -> io::Result<()> {
    let file = File::create(path)?;
    file.set_len(10)?;
    file.sync_all()
}

fn fsync(node: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).open(node)?.sync_all()
}

fn errno(result: io::Result<()>) -> Option<Errno> {
    result.err().and_then(|error| Errno::from_io_error(&error))
}

#[test]
fn a_healthy_disk_counts_its_flushes_and_keeps_its_journal() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3").unwrap();
    let before = volume.disk.storage.counters().unwrap();
    volume.commit("file").unwrap();
    let after = volume.disk.storage.counters().unwrap();
    assert!(after.fsyncs > before.fsyncs && after.writes > before.writes, "{after:?}");
    assert_eq!((after.failed_fsyncs, volume.disk.errors_count()), (0, Some(0)));
    volume.mounted.unmount().unwrap();
    assert_eq!(volume.disk.errors_count(), None);
}

#[test]
fn a_refused_flush_in_a_commit_aborts_the_journal() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3").unwrap();
    volume.disk.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    volume.commit("file").unwrap_err();
    volume.disk.storage.heal().unwrap();
    assert_eq!(errno(volume.commit("new")), Some(Errno::ROFS));
    assert!(volume.disk.storage.counters().unwrap().failed_fsyncs > 0);
    assert!(volume.disk.errors_count() > Some(0));
}

#[test]
fn without_a_write_cache_no_flush_is_sent_and_the_journal_lives() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let volume = volume("ext4").unwrap();
    volume.disk.device.set_queue("write_cache", "write through").unwrap();
    volume.disk.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    let before = volume.disk.storage.fsyncs().unwrap();
    volume.commit("file").unwrap();
    assert_eq!(volume.disk.storage.fsyncs().unwrap(), before);
    assert_eq!(volume.disk.errors_count(), Some(0));
}

/// A loop device makes EIO of every refused flush, and goes on sending them.
#[test]
fn a_lone_refused_flush_is_an_io_error_whatever_the_storage_says() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    for answer in [Answer::Eio, Answer::Eopnotsupp, Answer::Enospc] {
        let disk = FaultyDisk::new(SIZE).unwrap();
        let before = disk.storage.fsyncs().unwrap();
        disk.fsync().unwrap();
        disk.storage.set(Fault::Fsync(answer)).unwrap();
        assert_eq!(errno(disk.fsync()), Some(Errno::IO), "{answer}");
        assert_eq!(disk.storage.fsyncs().unwrap(), before + 2);
        assert_eq!(disk.device.queue("write_cache").unwrap(), "write back");
        disk.storage.heal().unwrap();
        disk.fsync().unwrap();
    }
}

#[test]
fn a_lone_refused_flush_on_a_mounted_disk_aborts_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let volume = volume("ext4").unwrap();
    volume.commit("file").unwrap();
    rustix::fs::syncfs(File::open(volume.mounted.target()).unwrap()).unwrap();
    volume.disk.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    volume.disk.fsync().unwrap_err();
    volume.disk.storage.heal().unwrap();
    volume.commit("new").unwrap();
    assert_eq!(volume.disk.errors_count(), Some(0));
}

/// The harness holds a descriptor of the device; that must not count as a user of it.
#[test]
fn a_disk_can_be_opened_exclusively_once_it_is_unmounted() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let volume = volume("ext4").unwrap();
    let flags = OFlags::RDONLY | OFlags::EXCL | OFlags::CLOEXEC;
    let claim = || rustix::fs::open(volume.disk.device.node(), flags, Mode::empty());
    assert_eq!(claim().map(drop), Err(Errno::BUSY));
    volume.mounted.unmount().unwrap();
    claim().unwrap();
}

/// The journal survives an outage in which nothing is written; a fsync of the node writes.
#[test]
fn fsync_of_a_mounted_node_while_writes_fail_aborts_a_journal_that_would_have_lived() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    for somebody_syncs_the_node in [false, true] {
        let volume = volume("ext4").unwrap();
        for n in 0..20 {
            fs::create_dir(volume.mounted.target().join(n.to_string())).unwrap();
        }
        volume.commit("file").unwrap();
        volume.disk.storage.set(Fault::Write(Answer::Eio)).unwrap();
        if somebody_syncs_the_node {
            assert_eq!(errno(volume.disk.fsync()), Some(Errno::IO));
        }
        volume.disk.storage.heal().unwrap();
        let next = volume.commit("new");
        assert_eq!(next.is_err(), somebody_syncs_the_node, "{next:?}");
        assert_eq!(volume.disk.errors_count() > Some(0), somebody_syncs_the_node);
    }
}

#[test]
fn reads_and_writes_fail_and_are_late_on_command() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let disk = FaultyDisk::new(SIZE).unwrap();
    let FaultyDisk { device, storage } = &disk;
    storage.set(Fault::Write(Answer::Enospc)).unwrap();
    let write = fs::write(device.node(), "lost").and_then(|()| fsync(device.node()));
    assert_eq!(errno(write), Some(Errno::IO));
    storage.set_all(&[Fault::Write(Answer::Ok), Fault::DelayMs(100)]).unwrap();
    let begin = Instant::now();
    fs::write(device.node(), "kept").unwrap();
    fsync(device.node()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(200));
    storage.set_all(&[Fault::DelayMs(0), Fault::Read(Answer::Eio)]).unwrap();
    assert_eq!(errno(fs::read(storage.file()).map(drop)), Some(Errno::IO));
    storage.heal().unwrap();
    assert!(fs::read(storage.file()).unwrap().starts_with(b"kept"));
    let counters = storage.counters().unwrap();
    assert!(counters.failed_writes > 0 && counters.failed_reads > 0, "{counters:?}");
}

#[test]
fn a_hanging_flush_is_answered_when_the_storage_comes_back() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let disk = FaultyDisk::new(SIZE).unwrap();
    disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    let node = disk.device.node().to_owned();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(fsync(&node)));
    seen(SOON, || (disk.storage.counters().ok()?.hanging == 1).then_some(())).unwrap();
    assert!(told.recv_timeout(Duration::from_millis(300)).is_err());
    disk.storage.heal().unwrap();
    told.recv_timeout(SOON).unwrap().unwrap();
    assert_eq!(disk.storage.counters().unwrap().hanging, 0);
}

#[test]
fn a_volume_whose_flush_hangs_is_cleaned_up_within_seconds() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3").unwrap();
    let (sysfs, target) = (volume.disk.device.sysfs(), volume.mounted.target().to_owned());
    volume.disk.storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let file = target.join("file");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(commit(&file)));
    seen(SOON, || (volume.disk.storage.counters().ok()?.hanging > 0).then_some(())).unwrap();
    let begin = Instant::now();
    drop(volume);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    told.recv_timeout(SOON).unwrap().unwrap_err();
    seen(SOON, || (!sysfs.exists()).then_some(())).expect("the loop device is gone");
    assert!(!target.exists());
}
