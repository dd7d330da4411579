//! A backend that refuses flushes: with early boot ext3 lives on it, without it the journal dies.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use harness::blkback::refuse_flushes;
use harness::deadline::seen;
use harness::failure::Result;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::mount::Mounted;
use harness::programs::Ran;
use harness::requires;
use harness::scratch::Scratch;

use crate::setup::{boot, disk, line, verdict, write_cache};

/// Boots a guest whose first disk refuses its flush, and goes on refusing.
fn boot_refused(guest: &Guest) -> Ran {
    let (storage, key) = (&guest.disks[0].storage, guest.flush_key(0));
    refuse_flushes(storage, &guest.store, &key, || boot(guest)).unwrap()
}

/// Mounts a disk of which the storage gets a fault before or after.
fn mount(disk: &FaultyDisk, folder: &Scratch) -> Result<Mounted> {
    disk.mount(&folder.path().join("mnt"), "ext3", "errors=remount-ro")
}

/// Writes 200 small files, each to its end.
fn write_on(mounted: &Mounted) -> io::Result<()> {
    (0..200).try_for_each(|n| {
        let mut file = File::create(mounted.target().join(n.to_string()))?;
        file.write_all(b"a few bytes")?;
        file.sync_all()
    })
}

#[test]
fn early_boot_lets_ext3_live_on_a_backend_that_refuses() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::formatted("ext3").unwrap();
    let before = guest.flushes().unwrap()[0];
    boot_refused(&guest);
    assert_eq!(guest.flushes().unwrap()[0], before + 1);
    assert_eq!(write_cache(&guest, 0), "write through");
    assert_eq!(line(&guest), "");
    let kept = disk(&guest, "xvda");
    assert_eq!((&kept["verdict"], &kept["switched_off_by_us"]), (&"refused".into(), &true.into()));
    let evidence = kept["evidence"].to_string();
    for part in ["went from 1 to 0", "xvdguard wrote write through to queue/write_cache"] {
        assert!(evidence.contains(part), "{evidence}");
    }
    let folder = Scratch::new("root").unwrap();
    let mounted = mount(&guest.disks[0], &folder).unwrap();
    write_on(&mounted).unwrap();
    assert_eq!((guest.flushes().unwrap()[0], guest.disks[0].errors_count()), (before + 1, Some(0)));
    let status = guest.xvdguard(&["status"]).unwrap().out();
    assert!(status.contains("refused"), "{status}");
}

/// What the test before would be worth nothing without.
#[test]
fn without_early_boot_ext3_cannot_be_mounted_or_its_journal_dies() {
    let Some(_) = requires::faulty_disk("ext3") else { return };
    let folder = Scratch::new("root").unwrap();
    let disk = FaultyDisk::formatted("ext3").unwrap();
    disk.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    println!("refusing before the mount: {}", mount(&disk, &folder).unwrap_err());
    disk.storage.heal().unwrap();
    let mounted = mount(&disk, &folder).unwrap();
    disk.storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    println!("refusing after the mount: {}", write_on(&mounted).unwrap_err());
    disk.storage.heal().unwrap();
    assert_eq!(write_on(&mounted).unwrap_err().kind(), ErrorKind::ReadOnlyFilesystem);
    assert!(disk.errors_count() > Some(0));
}

/// Up to 6.10 blkfront switches its cache off itself, from 6.11 on it sends no further flush.
#[test]
fn what_blkfront_does_itself_is_left_to_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    for (kernel, write_cache) in [("6.1.0", "write through"), ("6.12.0", "write back")] {
        let mut guest = Guest::new().unwrap();
        let small = FaultyDisk::new(1 << 20).unwrap();
        guest.add_blkfront_disk(small, &[("write_cache", "write back")]).unwrap();
        guest.run_kernel(kernel).unwrap();
        guest.live_log().unwrap();
        guest.disks[0].storage.set(Fault::Fsync(Answer::Hang)).unwrap();
        let queue = "sys/block/xvda/queue/write_cache";
        thread::scope(|scope| {
            scope.spawn(|| {
                let storage = &guest.disks[0].storage;
                let arrived = || (storage.counters().ok()?.hanging > 0).then_some(());
                seen(Duration::from_secs(20), arrived).unwrap();
                guest.store.write(&guest.flush_key(0), "0").unwrap();
                guest.log("4,1,9000000,-;blkfront: xvda: flush op failed").unwrap();
                guest.root.write(queue, &format!("{write_cache}\n")).unwrap();
                storage.heal().unwrap();
            });
            boot(&guest);
        });
        assert_eq!(verdict(&guest, "xvda"), "refused", "{kernel}");
        let kept = disk(&guest, "xvda");
        assert_eq!(kept["switched_off_by_us"], false, "{kernel}: {kept:#}");
        assert!(kept["evidence"].to_string().contains("xvda: flush op failed"), "{kept:#}");
        assert_eq!(guest.root.read(queue).unwrap(), format!("{write_cache}\n"));
        assert_eq!(line(&guest), "");
        let said = guest.heard().unwrap();
        assert!(said.contains("xvdguard-early: xvda refused: "), "{said}");
    }
}

#[test]
fn a_refusal_is_left_alone_where_a_person_wants_it_so() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    guest.root.write("proc/cmdline", "root=/dev/vda1 barrier=on\n").unwrap();
    boot_refused(&guest);
    assert_eq!((verdict(&guest, "xvda").as_str(), line(&guest).as_str()), ("refused", ""));
    assert_eq!(write_cache(&guest, 0), "write back");
}

/// An error may be an outage: it is said, and nothing is switched off for it.
#[test]
fn an_error_answer_switches_nothing_off() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    guest.disks[0].storage.set(Fault::Fsync(Answer::Eio)).unwrap();
    boot(&guest);
    assert_eq!((verdict(&guest, "xvda").as_str(), line(&guest).as_str()), ("failing", ""));
    assert_eq!(write_cache(&guest, 0), "write back");
}

#[test]
fn a_healthy_disk_takes_one_flush_and_nothing_is_written() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    let counters = || guest.disks.iter().map(|disk| disk.storage.counters().unwrap());
    let before: Vec<_> = counters().collect();
    boot(&guest);
    for (index, (before, after)) in before.iter().zip(counters()).enumerate() {
        assert_eq!((after.fsyncs, after.writes), (before.fsyncs + 1, before.writes));
        assert_eq!(write_cache(&guest, index), "write back");
    }
    assert_eq!((verdict(&guest, "xvda").as_str(), line(&guest).as_str()), ("proven", ""));
    assert_eq!(verdict(&guest, "xvdb"), "proven");
}
