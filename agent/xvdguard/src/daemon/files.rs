//! Files that somebody changes while the daemon runs: configuration, fstab, hold, reports.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use inotify::{EventMask, Inotify, WatchDescriptor, WatchMask};
use xvdguard_linux::reports;
use xvdguard_linux::root::Root;
use xvdguard_linux::watch::requests::{HOLD, RELEASE};
use xvdguard_logic::wording::missing as wording;

/// What may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// The configuration.
    Configuration,
    /// A hold, or a release.
    Requests,
    /// What `probe` found.
    Reports,
    /// `/etc/fstab`.
    Fstab,
}

/// All of it: what is to be looked at where events were lost.
const ALL: [Changed; 4] =
    [Changed::Configuration, Changed::Requests, Changed::Reports, Changed::Fstab];

/// Watches on folders: editors put a new file in the place of the old one.
pub struct FileChanges {
    inotify: Inotify,
    run: Option<WatchDescriptor>,
    etc: Option<WatchDescriptor>,
    /// Where the files of the configuration are.
    configuration: [PathBuf; 2],
    /// Read already, and not taken yet.
    changed: BTreeSet<Changed>,
}

/// Room for some dozen events.
const BUFFER_BYTES: usize = 4096;

impl FileChanges {
    /// Watches what is there; a folder that is missing is named.
    pub fn open(root: &Root, missing: &mut Vec<String>) -> std::io::Result<FileChanges> {
        let inotify = Inotify::init()?;
        let below =
            |path: &str| PathBuf::from(OsStr::from_bytes(root.shown(path.as_bytes()).as_bytes()));
        let mut watch = |folder: &PathBuf| {
            let watched = inotify.watches().add(folder, written());
            let mut miss = |error| missing.push(wording::folder(&folder.to_string_lossy(), &error));
            watched.map_err(&mut miss).ok()
        };
        let (run, etc) = (watch(&below("run/xvdguard")), watch(&below("etc")));
        let configuration = ["etc/xvdguard", "etc/xvdguard/config.d"].map(below);
        configuration.iter().for_each(|folder| drop(watch(folder)));
        Ok(FileChanges { inotify, run, etc, configuration, changed: BTreeSet::new() })
    }

    /// What has changed since this was asked last.
    pub fn take(&mut self) -> BTreeSet<Changed> {
        self.read();
        std::mem::take(&mut self.changed)
    }

    /// Whether something waits to be taken that poll(2) does not tell of any more.
    pub fn is_owed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Whether holds and releases are told of: their folder is there, and watched.
    pub fn tells_of_requests(&self) -> bool {
        self.run.is_some()
    }

    /// Reads what there is. Our own files say nothing: where they were written last, nobody is
    /// woken by them after this.
    pub fn read(&mut self) {
        let mut buffer = [0; BUFFER_BYTES];
        while let Ok(events) = self.inotify.read_events(&mut buffer) {
            let mut is_empty = true;
            for event in events {
                is_empty = false;
                if event.mask.contains(EventMask::Q_OVERFLOW) {
                    self.changed.extend(ALL);
                }
                // The folder is gone, and the watch with it.
                if event.mask.contains(EventMask::IGNORED) && Some(&event.wd) == self.run.as_ref() {
                    self.run = None;
                }
                self.changed.extend(match Some(&event.wd) {
                    wd if wd == self.run.as_ref() => of_run(event.name),
                    wd if wd == self.etc.as_ref() => of_etc(event.name),
                    _ => of_configuration(event.name),
                });
            }
            if is_empty {
                break;
            }
        }
        if self.changed.contains(&Changed::Configuration) {
            // A folder that was made just now is watched from now on; asking again changes nothing.
            self.configuration.iter().for_each(|folder| {
                let _ = self.inotify.watches().add(folder, written());
            });
        }
    }
}

fn written() -> WatchMask {
    WatchMask::CLOSE_WRITE
        | WatchMask::CREATE
        | WatchMask::DELETE
        | WatchMask::MOVED_TO
        | WatchMask::ONLYDIR
}

fn of_etc(name: Option<&OsStr>) -> Option<Changed> {
    match name?.to_str()? {
        "fstab" => Some(Changed::Fstab),
        "xvdguard" => Some(Changed::Configuration),
        _ => None,
    }
}

fn of_configuration(name: Option<&OsStr>) -> Option<Changed> {
    let name = name?.to_str()?;
    (name.ends_with(".toml") || name == "config.d").then_some(Changed::Configuration)
}

fn of_run(name: Option<&OsStr>) -> Option<Changed> {
    match name?.to_str()? {
        name if name == HOLD || name.starts_with(RELEASE) => Some(Changed::Requests),
        name if reports::ALL.contains(&name) => Some(Changed::Reports),
        _ => None,
    }
}

impl AsFd for FileChanges {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use xvdguard_linux::wait::{Wanted, wait};

    #[test]
    fn what_we_write_ourselves_wakes_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let run = dir.path().join("run/xvdguard");
        std::fs::create_dir_all(&run).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let mut missing = Vec::new();
        let mut files = FileChanges::open(&root, &mut missing).unwrap();
        assert!(missing.iter().any(|what| what.contains("/etc/xvdguard: ")), "{missing:?}");
        let write = |name: &str| std::fs::write(run.join(name), "").unwrap();
        let wakes = |files: &FileChanges| wait(&[Wanted::Data(files.as_fd())], Duration::ZERO)[0];

        write("memory.json");
        assert!(wakes(&files));
        files.read();
        assert!(!wakes(&files) && !files.is_owed());

        write("hold");
        write("memory.json");
        files.read();
        assert!(!wakes(&files) && files.is_owed());
        assert_eq!(files.take(), BTreeSet::from([Changed::Requests]));
        assert!(!files.is_owed() && files.take().is_empty());

        assert!(files.tells_of_requests());
        std::fs::remove_dir_all(&run).unwrap();
        assert_eq!(files.take(), BTreeSet::from([Changed::Requests]));
        assert!(!files.tells_of_requests(), "its folder is gone");
    }
}
