//! Disks that fail: a loop device on the faulty storage, and what the kernel above it makes of
//! that.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use harness::deadline::seen;
use harness::failure::Result;
use harness::fault::{Answer, Fault};
use harness::faulty_storage::FaultyStorage;
use harness::loop_device::LoopDevice;
use harness::mount::Mounted;
use harness::scratch::Scratch;
use harness::{program, requires};
use rustix::io::Errno;

const SIZE: u64 = 64 << 20;
const SOON: Duration = Duration::from_secs(10);

/// A mounted file system on a disk that can fail. Fields are dropped from the top.
struct Volume {
    mounted: Mounted,
    disk: LoopDevice,
    storage: FaultyStorage,
    _folder: Scratch,
}

fn volume(fstype: &str, options: &str) -> Result<Volume> {
    let storage = FaultyStorage::start(SIZE)?;
    let disk = LoopDevice::attach(&storage.file())?;
    let node = disk.node().display().to_string();
    program::run(&format!("mkfs.{fstype}"), &["-q", &node])?;
    let folder = Scratch::new("volume")?;
    let mounted = Mounted::new(disk.node(), &folder.path().join("mnt"), fstype, options)?;
    Ok(Volume { mounted, disk, storage, _folder: folder })
}

fn write_and_sync(path: &Path) -> io::Result<()> {
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

fn errors_count(disk: &LoopDevice) -> u64 {
    let path = format!("/sys/fs/ext4/{}/errors_count", disk.name());
    fs::read_to_string(path).unwrap().trim().parse().unwrap()
}

#[test]
fn a_healthy_disk_counts_its_flushes_and_keeps_its_journal() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3", "errors=remount-ro").unwrap();
    let before = volume.storage.counters().unwrap();
    write_and_sync(&volume.mounted.target().join("file")).unwrap();
    let after = volume.storage.counters().unwrap();
    assert!(after.fsyncs > before.fsyncs && after.writes > before.writes, "{after:?}");
    assert_eq!((after.failed_fsyncs, errors_count(&volume.disk)), (0, 0));
    volume.mounted.unmount().unwrap();
}

#[test]
fn a_refused_flush_in_a_commit_aborts_the_journal() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3", "errors=remount-ro").unwrap();
    volume.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    write_and_sync(&volume.mounted.target().join("file")).unwrap_err();
    volume.storage.heal().unwrap();
    let refused = File::create(volume.mounted.target().join("new")).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ReadOnlyFilesystem);
    assert!(volume.storage.counters().unwrap().failed_fsyncs > 0);
    assert!(errors_count(&volume.disk) > 0);
}

#[test]
fn without_a_write_cache_no_flush_is_sent_and_the_journal_lives() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let volume = volume("ext4", "errors=remount-ro").unwrap();
    volume.disk.set_queue("write_cache", "write through").unwrap();
    volume.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    let before = volume.storage.fsyncs().unwrap();
    write_and_sync(&volume.mounted.target().join("file")).unwrap();
    assert_eq!(volume.storage.fsyncs().unwrap(), before);
    assert_eq!(errors_count(&volume.disk), 0);
}

/// A loop device turns every refused flush into EIO; EOPNOTSUPP arrives for reads and writes only.
#[test]
fn a_lone_refused_flush_is_an_io_error_whatever_the_storage_says() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    for answer in [Answer::Eio, Answer::Eopnotsupp, Answer::Enospc] {
        let storage = FaultyStorage::start(SIZE).unwrap();
        let disk = LoopDevice::attach(&storage.file()).unwrap();
        let before = storage.fsyncs().unwrap();
        fsync(disk.node()).unwrap();
        storage.set(Fault::Fsync(answer)).unwrap();
        assert_eq!(errno(fsync(disk.node())), Some(Errno::IO), "{answer}");
        assert_eq!(storage.fsyncs().unwrap(), before + 2);
        assert_eq!(disk.queue("write_cache").unwrap(), "write back");
        storage.heal().unwrap();
        fsync(disk.node()).unwrap();
    }
}

#[test]
fn a_lone_refused_flush_on_a_mounted_disk_aborts_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let volume = volume("ext4", "errors=remount-ro").unwrap();
    write_and_sync(&volume.mounted.target().join("file")).unwrap();
    rustix::fs::syncfs(File::open(volume.mounted.target()).unwrap()).unwrap();
    volume.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    fsync(volume.disk.node()).unwrap_err();
    volume.storage.heal().unwrap();
    write_and_sync(&volume.mounted.target().join("new")).unwrap();
    assert_eq!(errors_count(&volume.disk), 0);
}

/// The journal survives an outage in which nothing is written; a fsync of the node writes.
#[test]
fn fsync_of_a_mounted_node_while_writes_fail_aborts_a_journal_that_would_have_lived() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    for somebody_syncs_the_node in [false, true] {
        let volume = volume("ext4", "errors=remount-ro").unwrap();
        for n in 0..20 {
            fs::create_dir(volume.mounted.target().join(n.to_string())).unwrap();
        }
        write_and_sync(&volume.mounted.target().join("file")).unwrap();
        volume.storage.set(Fault::Write(Answer::Eio)).unwrap();
        if somebody_syncs_the_node {
            assert_eq!(errno(fsync(volume.disk.node())), Some(Errno::IO));
        }
        volume.storage.heal().unwrap();
        let next = write_and_sync(&volume.mounted.target().join("new"));
        assert_eq!(next.is_err(), somebody_syncs_the_node, "{next:?}");
        assert_eq!(errors_count(&volume.disk) > 0, somebody_syncs_the_node);
    }
}

#[test]
fn reads_and_writes_fail_and_are_late_on_command() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let storage = FaultyStorage::start(SIZE).unwrap();
    let disk = LoopDevice::attach(&storage.file()).unwrap();
    storage.set(Fault::Write(Answer::Enospc)).unwrap();
    let write = fs::write(disk.node(), "lost").and_then(|()| fsync(disk.node()));
    assert_eq!(errno(write), Some(Errno::IO));
    storage.set_all(&[Fault::Write(Answer::Ok), Fault::DelayMs(100)]).unwrap();
    let begin = Instant::now();
    fs::write(disk.node(), "kept").unwrap();
    fsync(disk.node()).unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(200));
    storage.set_all(&[Fault::DelayMs(0), Fault::Read(Answer::Eio)]).unwrap();
    let refused = fs::read(storage.file()).unwrap_err();
    assert_eq!(refused.raw_os_error(), Some(Errno::IO.raw_os_error()));
    storage.heal().unwrap();
    assert!(fs::read(storage.file()).unwrap().starts_with(b"kept"));
    let counters = storage.counters().unwrap();
    assert!(counters.failed_writes > 0 && counters.failed_reads > 0, "{counters:?}");
}

#[test]
fn a_hanging_flush_is_answered_when_the_storage_comes_back() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let storage = FaultyStorage::start(SIZE).unwrap();
    let disk = LoopDevice::attach(&storage.file()).unwrap();
    storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    let node = disk.node().to_owned();
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(fsync(&node)));
    seen(SOON, || (storage.counters().ok()?.hanging == 1).then_some(())).unwrap();
    assert!(told.recv_timeout(Duration::from_millis(300)).is_err());
    storage.heal().unwrap();
    told.recv_timeout(SOON).unwrap().unwrap();
    assert_eq!(storage.counters().unwrap().hanging, 0);
}

#[test]
fn a_volume_whose_flush_hangs_is_cleaned_up_within_seconds() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let volume = volume("ext3", "errors=remount-ro").unwrap();
    let (name, target) = (volume.disk.name(), volume.mounted.target().to_owned());
    volume.storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let file = target.join("file");
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(write_and_sync(&file)));
    seen(SOON, || (volume.storage.counters().ok()?.hanging > 0).then_some(())).unwrap();
    let begin = Instant::now();
    drop(volume);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
    told.recv_timeout(SOON).unwrap().unwrap_err();
    let gone = || (!Path::new("/sys/block").join(&name).exists()).then_some(());
    seen(SOON, gone).expect("the loop device is gone");
    assert!(!target.exists());
}
