//! The later half of the barrier job: fstab follows the policy once a boot has shown to be healthy.
//!
//! The same plan as `xvdguard plan`, carried out as `apply` does, in a child and under the lock
//! that every writer takes. Tried once for what is known: again where fstab, the configuration or
//! what is known of a disk has changed.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use xvdguard_linux::child::Ending;
use xvdguard_linux::job::{Job, Left, Limit};
use xvdguard_linux::whole_file;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::verdict::report::DiskReport;
use xvdguard_logic::wording::daemon as wording;

use super::announce;
use crate::arguments::Global;
use crate::commands::apply;

/// fstab, a reload of systemd, a remount: each has limits of its own, and a kill does no harm.
const WITHIN: Duration = Duration::from_secs(180);

/// What came of it, in sentences; an error where nothing was changed.
type Answer = Result<Vec<String>, String>;

/// The work, and what it was done for last.
#[derive(Debug, Default)]
pub struct Later {
    job: Option<Job>,
    left: Left,
    done_for: Option<Vec<(Text, FlushVerdict)>>,
}

impl Later {
    /// Something that it depends on has changed.
    pub fn forget(&mut self) {
        self.done_for = None;
    }

    /// Does it, where it was not done for this. Asked only while it may be done.
    pub fn begin(&mut self, global: &Global, disks: &[DiskReport]) {
        let verdicts = || disks.iter().map(|disk| (disk.name.clone(), disk.verdict)).collect();
        let is_busy = self.job.is_some() || self.left.count() > 0;
        if is_busy || self.done_for.is_some() && self.done_for == Some(verdicts()) {
            return;
        }
        self.done_for = Some(verdicts());
        let task = Box::new(|| {
            let answer: Answer = apply::later(global);
            whole_file::to_bytes(&answer)
        });
        match Job::start(task, Limit::Within(WITHIN)) {
            Ok(job) => self.job = Some(job),
            Err(error) => announce::note(&error.to_string()),
        }
    }

    /// Says what came of it, once it is over.
    pub fn take(&mut self) {
        if !self.job.as_mut().is_some_and(Job::is_over) {
            return;
        }
        let Some(job) = self.job.take() else { return };
        self.left.note(job.pid());
        let ending = job.finish();
        let silent = || Err(wording::NO_ANSWER.to_owned());
        let answer: Answer = match &ending {
            Ending::Answered(bytes) => whole_file::from_bytes(bytes).unwrap_or_else(silent),
            _ => silent(),
        };
        match answer {
            Ok(said) if said.is_empty() => {}
            Ok(said) => {
                announce::note(wording::FSTAB_PERSISTED);
                said.iter().for_each(|line| announce::note(line));
            }
            Err(why) => announce::note(&wording::fstab_not_persisted(&why)),
        }
    }

    /// To be polled.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.job.as_ref().map(AsFd::as_fd)
    }

    /// When it has had its time.
    pub fn deadline(&self) -> Option<Instant> {
        self.job.as_ref().and_then(Job::deadline)
    }
}
