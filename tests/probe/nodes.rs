//! Nodes in `/dev` that are not the disk they should be: nothing is flushed and nothing is written.

use std::fs;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::symlink;
use std::path::Path;

use harness::guest::Guest;
use harness::requires;
use rustix::fs::inotify::{CreateFlags, ReadFlags, Reader, WatchFlags, add_watch, init};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::io::Errno;

use crate::setup::{probe, verdict};

/// Sees what is opened for writing in a folder.
struct Watch(OwnedFd);

impl Watch {
    fn on(folder: &Path) -> Watch {
        let watch = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).unwrap();
        add_watch(&watch, folder, WatchFlags::CLOSE | WatchFlags::MODIFY).unwrap();
        Watch(watch)
    }

    /// What was opened so far: names, and whether for writing.
    fn seen(&self) -> Vec<(String, bool)> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut reader = Reader::new(&self.0, &mut buffer);
        let mut seen = Vec::new();
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_string_lossy().into_owned());
                    let wrote = event.events() & (ReadFlags::CLOSE_WRITE | ReadFlags::MODIFY);
                    seen.push((name.unwrap_or_default(), !wrote.is_empty()));
                }
                Err(Errno::AGAIN) => return seen,
                Err(errno) => panic!("cannot read events: {errno}"),
            }
        }
    }
}

type Replace = fn(&Guest, &Path);

/// What stands at `dev/xvda` instead of the disk.
const WRONG: [(&str, Replace); 7] = [
    ("missing", |_, _| {}),
    ("another disk", |guest, node| {
        make(node, FileType::BlockDevice, guest.disks[1].device.rdev());
    }),
    ("a character device with the disk's numbers", |guest, node| {
        make(node, FileType::CharacterDevice, guest.disks[0].device.rdev());
    }),
    ("a regular file", |_, node| fs::write(node, "a file").unwrap()),
    ("a fifo", |_, node| make(node, FileType::Fifo, 0)),
    ("a folder", |_, node| fs::create_dir(node).unwrap()),
    ("a link that leads out of the root", |guest, node| {
        symlink(guest.disks[0].device.node(), node).unwrap();
    }),
];

fn make(node: &Path, kind: FileType, rdev: u64) {
    mknodat(CWD, node, kind, Mode::RUSR | Mode::WUSR, rdev).unwrap();
}

#[test]
fn a_node_that_is_not_the_disk_leaves_it_untested() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    let before = guest.flushes().unwrap();
    let node = guest.root.within("dev/xvda");
    for (what, replace) in WRONG {
        let _ = fs::remove_file(&node).or_else(|_| fs::remove_dir(&node));
        replace(&guest, &node);
        let watch = Watch::on(&guest.root.within("dev"));
        let (ran, said) = probe(&guest, &["xvda"]);
        let (word, reason) = verdict(&said, "xvda");
        assert_eq!((ran.code, word), (Some(1), "untested"), "{what}: {said:#}");
        assert!(reason.contains("its node in /dev"), "{what}: {reason}");
        let seen = watch.seen();
        assert!(!seen.iter().any(|(_, wrote)| *wrote), "{what}: {seen:?}");
        assert_eq!(guest.flushes().unwrap(), before, "{what}");
    }
    fs::remove_file(&node).unwrap();
}

#[test]
fn the_right_node_is_opened_for_reading_only() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    let watch = Watch::on(&guest.root.within("dev"));
    let (ran, said) = probe(&guest, &[]);
    assert_eq!((ran.code, verdict(&said, "xvda").0), (Some(0), "proven"), "{said:#}");
    let seen = watch.seen();
    assert!(seen.contains(&("xvda".into(), false)), "{seen:?}");
    assert!(!seen.iter().any(|(_, wrote)| *wrote), "{seen:?}");
}
