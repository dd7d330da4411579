//! A node that carries a mounted file system, on a real loop device: what each kind of flush
//! sends, and what it does to the journal during an outage.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::faulty_storage::Counters;
use harness::guest::Guest;
use harness::mount::Mounted;
use harness::programs::{self, Ran};
use harness::requires;
use harness::scratch::Scratch;
use serde_json::Value;

use crate::setup::{document, probe, verdict};

/// A guest whose only disk is really mounted, outside its root.
struct Volume {
    mounted: Mounted,
    guest: Guest,
    _folder: Scratch,
}

/// Nobody but the test writes: no commit by the clock, no inode tables made in the background.
const OPTIONS: &str = "errors=remount-ro,commit=300,noinit_itable";

fn volume() -> Volume {
    let guest = Guest::formatted("ext4").unwrap();
    let folder = Scratch::new("volume").unwrap();
    let mounted = guest.disks[0].mount(&folder.path().join("mnt"), "ext4", OPTIONS).unwrap();
    Volume { mounted, guest, _folder: folder }
}

impl Volume {
    /// With a mountinfo that tells of the mount.
    fn known_to_the_guest(self) -> Volume {
        self.guest.root.say_mounted("xvda", "/srv", "ext4", "rw").unwrap();
        self
    }

    fn disk(&self) -> &FaultyDisk {
        &self.guest.disks[0]
    }

    fn counters(&self) -> Counters {
        self.disk().storage.counters().unwrap()
    }

    /// Metadata that is committed to the journal and not yet written to its place.
    fn make_dirty_metadata(&self) {
        for n in 0..300 {
            fs::create_dir(self.mounted.target().join(n.to_string())).unwrap();
        }
        commit(self.mounted.target(), "committed").unwrap();
    }
}

fn commit(folder: &Path, name: &str) -> io::Result<()> {
    let mut file = File::create(folder.join(name))?;
    file.write_all(b"kept")?;
    file.sync_all()
}

/// Whether it lives after an outage in which somebody flushed its node.
fn lives_after_an_outage(flush: impl FnOnce(&Volume)) -> bool {
    let volume = volume().known_to_the_guest();
    volume.make_dirty_metadata();
    volume.disk().storage.set(Fault::Write(Answer::Eio)).unwrap();
    flush(&volume);
    volume.disk().storage.heal().unwrap();
    let target = volume.mounted.target();
    let synced = File::open(target).and_then(|folder| Ok(rustix::fs::syncfs(folder)?));
    let committed = commit(target, "new");
    let errors = volume.disk().errors_count();
    println!("sync {synced:?}, new file {committed:?}, errors_count {errors:?}");
    synced.is_ok() && committed.is_ok() && errors == Some(0)
}

#[test]
fn a_probe_in_an_outage_leaves_a_mounted_file_system_alive_where_a_plain_fsync_kills_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::io_uring() else { return };
    assert!(lives_after_an_outage(|volume| {
        let before = volume.counters();
        let (ran, said) = probe(&volume.guest, &[]);
        assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
        let after = volume.counters();
        assert_eq!(after, Counters { fsyncs: before.fsyncs + 1, ..before });
    }));
    assert!(!lives_after_an_outage(|volume| {
        volume.disk().fsync().unwrap_err();
        assert!(volume.counters().failed_writes > 0);
    }));
}

#[test]
fn a_probe_sends_one_flush_and_writes_nothing_back() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::io_uring() else { return };
    let guest = Guest::with_disks(1).unwrap();
    let disk = &guest.disks[0];
    // Without a sync: 64 KiB stay in the page cache of the node.
    fs::write(guest.root.within("dev/xvda"), [1; 65536]).unwrap();
    let before = disk.storage.counters().unwrap();
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
    let probed = disk.storage.counters().unwrap();
    assert_eq!((probed.fsyncs, probed.writes), (before.fsyncs + 1, before.writes));
    disk.fsync().unwrap();
    let synced = disk.storage.counters().unwrap();
    assert!(synced.writes > before.writes, "a plain fsync writes them: {synced:?}");
}

/// As on a kernel before 5.1, or where a sandbox forbids it.
fn probe_without_io_uring(guest: &Guest) -> (Ran, Value) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("probe/fixtures/without_io_uring.pl");
    let probe = guest.command("xvdguard", &["--json", "probe"]).unwrap();
    let mut command = Command::new("perl");
    command.arg(script).arg(probe.get_program()).args(probe.get_args());
    let ran = programs::run(command, Duration::from_secs(20)).unwrap();
    let said = document(&ran);
    (ran, said)
}

#[test]
fn without_io_uring_a_mounted_node_is_not_flushed_and_the_reason_says_why() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("perl") else { return };
    for (volume, reason) in [
        (volume().known_to_the_guest(), "carries a mounted file system"),
        (volume(), "something holds the node"),
    ] {
        volume.make_dirty_metadata();
        let before = volume.counters();
        let (ran, said) = probe_without_io_uring(&volume.guest);
        let (word, why) = verdict(&said, "xvda");
        assert_eq!((ran.code, word), (Some(1), "untested"), "{said:#}");
        assert!(why.contains(reason), "{why}");
        assert_eq!(volume.counters(), before);
    }
}

#[test]
fn without_io_uring_a_node_that_nobody_uses_takes_a_plain_flush() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("perl") else { return };
    let guest = Guest::with_disks(1).unwrap();
    let before = guest.flushes().unwrap()[0];
    let (ran, said) = probe_without_io_uring(&guest);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
    assert_eq!(guest.flushes().unwrap()[0], before + 1);
}
