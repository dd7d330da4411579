//! Everything that can wake the daemon, and one poll(2) over all of it.
//!
//! An event only says where to look: what is so is read anew. A source that is missing is named
//! once; the others and the tick do without it.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use xvdguard_linux::calls::signals::{Asked, Signals};
use xvdguard_linux::error::Error;
use xvdguard_linux::observe::kernel_log::Records;
use xvdguard_linux::wait::{self, Wanted};
use xvdguard_linux::watch::block_events::BlockEvents;
use xvdguard_linux::watch::errors::ErrorEvents;
use xvdguard_linux::watch::mounts::MountChanges;
use xvdguard_linux::xenstore::Source;
use xvdguard_logic::wording::missing as wording;

use super::files::{Changed, FileChanges};

/// What there is to look at anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// Everything: disks, keys, mounts.
    pub world: bool,
    /// What is watched in xenstore.
    pub xenstore: bool,
    /// What is mounted.
    pub mounts: bool,
    /// Hold and releases.
    pub requests: bool,
    /// Reports of `probe`.
    pub reports: bool,
    /// The configuration, or SIGHUP.
    pub configuration: bool,
    /// `/etc/fstab`.
    pub fstab: bool,
    /// SIGTERM.
    pub end: bool,
    /// The time alone: an event may have been lost, and a watch may have failed.
    pub tick: bool,
    /// The time for everything.
    pub round: bool,
    /// Whether nobody has said anything, and everybody would have: counters alone are looked at.
    pub quiet: bool,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy)]
pub struct Woken {
    /// Mounts changed, which is told once.
    pub by_mounts: bool,
    /// Anything: else the time was over.
    pub by_any: bool,
}

/// The open sources.
pub struct Sources {
    signals: Signals,
    mounts: Option<MountChanges>,
    /// The kernel's lines from boot on. By a descriptor of its own: what others read of the log
    /// while they look at something would be missing here.
    pub lines: Records,
    pub errors: Option<ErrorEvents>,
    block: Option<BlockEvents>,
    files: Option<FileChanges>,
}

impl Sources {
    /// Opens all of them.
    pub fn open(
        root: &xvdguard_linux::root::Root,
        missing: &mut Vec<String>,
    ) -> Result<Sources, Error> {
        let signals = Signals::take()
            .map_err(|errno| Error::system("read signals of", "this process", errno))?;
        let mut note = |what: String| missing.push(what);
        // That it is not there was noted when the world was opened.
        let lines = Records::open(root).unwrap_or_else(|_| Records::none());
        let mounts = MountChanges::open(root).map_err(|error| note(wording::mounts(&error))).ok();
        let errors = ErrorEvents::open().map_err(|error| note(wording::error_events(&error))).ok();
        let block = BlockEvents::open().map_err(|error| note(wording::block_events(&error))).ok();
        let files = FileChanges::open(root, missing);
        let files = files.map_err(|error| missing.push(wording::files(&error))).ok();
        Ok(Sources { signals, mounts, lines, errors, block, files })
    }

    /// Forgets what this daemon wrote itself.
    pub fn settle(&mut self) {
        if let Some(files) = &mut self.files {
            files.read();
        }
    }

    /// Waits for one of them, a job or the time. Nothing is taken yet but what mountinfo tells.
    pub fn wait<'a>(
        &'a self,
        xenstore: Option<&'a Source>,
        jobs: impl Iterator<Item = BorrowedFd<'a>>,
        patience: Duration,
    ) -> Woken {
        let mut wanted: Vec<Wanted<'a>> = Vec::new();
        wanted.extend(self.mounts.as_ref().map(|mounts| Wanted::Priority(mounts.as_fd())));
        wanted.push(Wanted::Data(self.signals.as_fd()));
        wanted.extend(self.lines.device().map(Wanted::Data));
        wanted.extend(self.errors.as_ref().map(|errors| Wanted::Data(errors.as_fd())));
        wanted.extend(self.block.as_ref().map(|block| Wanted::Data(block.as_fd())));
        wanted.extend(self.files.as_ref().map(|files| Wanted::Data(files.as_fd())));
        if let Some(Source::Live(client)) = xenstore {
            wanted.push(Wanted::Data(client.as_fd()));
        }
        wanted.extend(jobs.map(Wanted::Data));
        // What was received along with something else, poll(2) does not tell of.
        let is_owed = self.files.as_ref().is_some_and(FileChanges::is_owed)
            || matches!(xenstore, Some(Source::Live(client)) if client.has_event());
        let ready = wait::wait(&wanted, if is_owed { Duration::ZERO } else { patience });
        Woken {
            by_mounts: self.mounts.is_some() && ready.first() == Some(&true),
            by_any: is_owed || ready.contains(&true),
        }
    }

    /// Takes what came. Where poll(2) had nothing, nobody is asked once more: each of these calls
    /// runs code of the kernel that is in no cache after half a minute.
    pub fn take(&mut self, woken: Woken) -> News {
        if !woken.by_any {
            return News { quiet: self.are_complete(), ..News::default() };
        }
        let mut news = News { mounts: woken.by_mounts, ..News::default() };
        while let Some(asked) = self.signals.next() {
            match asked {
                Asked::End => news.end = true,
                Asked::Reload => news.configuration = true,
            }
        }
        news.world = self.block.as_ref().is_some_and(BlockEvents::take);
        if let Some(errors) = &mut self.errors {
            errors.take();
        }
        for changed in self.files.as_mut().map(FileChanges::take).unwrap_or_default() {
            match changed {
                Changed::Configuration => news.configuration = true,
                Changed::Requests => news.requests = true,
                Changed::Reports => news.reports = true,
                Changed::Fstab => news.fstab = true,
            }
        }
        news
    }

    /// Whether disks, mounts and requests of this guest are told of. The kernel log has its own way
    /// of saying that something is missing, and error events are but one more source.
    fn are_complete(&self) -> bool {
        let files = self.files.as_ref().is_some_and(FileChanges::tells_of_requests);
        files && self.mounts.is_some() && self.block.is_some()
    }
}
