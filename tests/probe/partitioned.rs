//! A partitioned disk: whether a flush of the whole-disk node reaches the pages of a file system
//! on its partition. Measured here on the kernel that runs the tests.

use std::fs::{self, File, OpenOptions};
use std::io::Write;

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::guest_xenstore::VbdSpec;
use harness::mount::Mounted;
use harness::scratch::Scratch;
use harness::{program, requires};

use crate::partition::Partition;
use crate::setup::{probe, verdict};

/// A guest whose disk has one partition with a mounted ext4. Fields are dropped from the top.
struct Partitioned {
    mounted: Mounted,
    partition: Partition,
    guest: Guest,
    _folder: Scratch,
}

/// Nobody but the test writes.
const OPTIONS: &str = "errors=remount-ro,commit=300,noinit_itable";

fn partitioned() -> Partitioned {
    let mut guest = Guest::new().unwrap();
    guest.add_disk(FaultyDisk::new(64 << 20).unwrap(), &VbdSpec::default()).unwrap();
    let partition = Partition::add(&guest.disks[0].device);
    program::run("mkfs.ext4", &["-q".as_ref(), partition.node.as_os_str()]).unwrap();
    let folder = Scratch::new("partitioned").unwrap();
    let target = folder.path().join("mnt");
    let mounted = Mounted::new(&partition.node, &target, "ext4", OPTIONS).unwrap();
    let says = format!("40 21 {} / /srv rw - ext4 /dev/xvda1 rw\n", partition.number);
    guest.root.write("proc/self/mountinfo", &says).unwrap();
    Partitioned { mounted, partition, guest, _folder: folder }
}

impl Partitioned {
    fn make_dirty_metadata(&self) {
        for n in 0..300 {
            fs::create_dir(self.mounted.target().join(n.to_string())).unwrap();
        }
        self.commit("committed").unwrap();
    }

    fn commit(&self, name: &str) -> std::io::Result<()> {
        let mut file = File::create(self.mounted.target().join(name))?;
        file.write_all(b"kept")?;
        file.sync_all()
    }
}

#[test]
fn a_plain_fsync_of_the_whole_disk_leaves_the_pages_of_a_partition_alone() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("addpart") else { return };
    let volume = partitioned();
    let disk = &volume.guest.disks[0];
    volume.make_dirty_metadata();
    let before = disk.storage.counters().unwrap();
    disk.fsync().unwrap();
    let whole = disk.storage.counters().unwrap();
    assert_eq!((whole.fsyncs, whole.writes), (before.fsyncs + 1, before.writes));
    OpenOptions::new().write(true).open(&volume.partition.node).unwrap().sync_all().unwrap();
    let part = disk.storage.counters().unwrap();
    assert!(part.writes > before.writes, "the partition's own node writes them: {part:?}");
}

#[test]
fn a_probe_of_a_whole_disk_in_an_outage_leaves_the_file_system_on_its_partition_alive() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("addpart") else { return };
    let volume = partitioned();
    let storage = &volume.guest.disks[0].storage;
    volume.make_dirty_metadata();
    storage.set(Fault::Write(Answer::Eio)).unwrap();
    let before = storage.fsyncs().unwrap();
    let (ran, said) = probe(&volume.guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
    assert_eq!(storage.fsyncs().unwrap(), before + 1);
    // What an older kernel would have to send instead is harmless as well.
    volume.guest.disks[0].fsync().unwrap();
    storage.heal().unwrap();
    assert_eq!(storage.counters().unwrap().failed_writes, 0);
    volume.commit("new").unwrap();
}
