//! Files that somebody changes while the daemon runs: configuration, hold, reports.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;

use inotify::{Inotify, WatchDescriptor, WatchMask};
use xvdguard_linux::reports;
use xvdguard_linux::watch::requests::{HOLD, RELEASE};

/// What may have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Changed {
    /// The configuration.
    Configuration,
    /// A hold, or a release.
    Requests,
    /// What `probe` found.
    Reports,
}

/// Watches on folders: editors put a new file in the place of the old one.
pub struct FileChanges {
    inotify: Inotify,
    run: Option<WatchDescriptor>,
}

/// Room for some dozen events.
const BUFFER_BYTES: usize = 4096;

impl FileChanges {
    /// Watches what is there; a folder that is missing is named.
    pub fn open(missing: &mut Vec<String>) -> std::io::Result<FileChanges> {
        let inotify = Inotify::init()?;
        let written = WatchMask::CLOSE_WRITE
            | WatchMask::CREATE
            | WatchMask::DELETE
            | WatchMask::MOVED_TO
            | WatchMask::ONLYDIR;
        let run = inotify.watches().add("/run/xvdguard", written).ok();
        for folder in ["/etc/xvdguard", "/etc/xvdguard/config.d"] {
            if let Err(error) = inotify.watches().add(Path::new(folder), written) {
                missing.push(format!("cannot watch {folder}: {error}; SIGHUP reloads as well"));
            }
        }
        Ok(FileChanges { inotify, run })
    }

    /// What has changed since this was asked last. Our own files say nothing.
    pub fn take(&mut self) -> BTreeSet<Changed> {
        let mut changed = BTreeSet::new();
        let mut buffer = [0; BUFFER_BYTES];
        while let Ok(events) = self.inotify.read_events(&mut buffer) {
            let mut is_empty = true;
            for event in events {
                is_empty = false;
                let is_run = self.run.as_ref() == Some(&event.wd);
                changed.extend(if is_run { of_run(event.name) } else { of_etc(event.name) });
            }
            if is_empty {
                break;
            }
        }
        changed
    }
}

fn of_etc(name: Option<&OsStr>) -> Option<Changed> {
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
