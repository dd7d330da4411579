//! Effects under way: begun once each, polled, and brought to their ends.
//!
//! What touches a disk is a job of its own (`recover::begin`). The keeper has the reboot, and the
//! daemon itself only says things. A child that hangs beyond SIGKILL stays counted here.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use xvdguard_linux::job::{Job, Left, Limit};
use xvdguard_linux::recover;
use xvdguard_linux::root::Root;
use xvdguard_logic::recovery::effects::{
    Deed, Effect, EffectId, Ended, Failure, FailureKind, Outcome,
};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

/// All of them.
#[derive(Debug, Default)]
pub struct Work {
    jobs: Vec<(EffectId, Job)>,
    hanging: Vec<(EffectId, Left)>,
    ended: Vec<Ended>,
}

/// Probes the flushes of one disk, in a child.
pub type ProbeFlush<'a> = dyn Fn(&Text) -> Vec<u8> + 'a;

impl Work {
    /// Begins what is a child's to do. False: it is the daemon's own.
    pub fn begin(&mut self, root: &Root, effect: &Effect, probe: &ProbeFlush<'_>) -> bool {
        if self.running().contains(&effect.id) {
            return true;
        }
        let job = match &effect.deed {
            Deed::Announce(_) | Deed::Reboot(_) => return false,
            Deed::ProbeFlush(disk) => {
                let limit = Duration::from_millis(effect.deadline_ms.unwrap_or(10_000));
                Job::start(Box::new(|| probe(disk)), Limit::Within(limit))
            }
            _ => recover::begin(root, effect),
        };
        match job {
            Ok(job) => self.jobs.push((effect.id, job)),
            Err(error) => self.end(effect.id, failed(FailureKind::Other, error.to_string())),
        }
        true
    }

    /// Notes how something ended.
    pub fn end(&mut self, id: EffectId, outcome: Outcome) {
        self.ended.push(Ended { id, outcome });
    }

    /// What came to an end since this was asked last.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        let mut index = 0;
        while index < self.jobs.len() {
            if !self.jobs[index].1.is_over() {
                index += 1;
                continue;
            }
            let (id, job) = self.jobs.swap_remove(index);
            let mut left = Left::default();
            left.note(job.pid());
            let outcome = recover::outcome(job.finish());
            if outcome == Outcome::TimedOut && left.count() > 0 {
                self.hanging.push((id, left));
            }
            self.end(id, outcome);
        }
        self.hanging.retain_mut(|(_, left)| left.count() > 0);
        std::mem::take(&mut self.ended)
    }

    /// What is under way, children that cannot be killed among it.
    pub fn running(&self) -> Vec<EffectId> {
        let jobs = self.jobs.iter().map(|(id, _)| *id);
        let hanging = self.hanging.iter().map(|(id, _)| *id);
        jobs.chain(hanging).collect()
    }

    /// How many children are left hanging.
    pub fn hanging(&self) -> usize {
        self.hanging.len()
    }

    /// Whether something is under way that ends by itself.
    pub fn is_busy(&self) -> bool {
        !self.jobs.is_empty() || !self.ended.is_empty()
    }

    /// Whether something ended that nobody has heard of.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// To be polled.
    pub fn files(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.jobs.iter().map(|(_, job)| job.as_fd())
    }

    /// When the next job is over its time.
    pub fn deadline(&self) -> Option<Instant> {
        self.jobs.iter().filter_map(|(_, job)| job.deadline()).min()
    }
}

/// A failure, as outcome.
pub fn failed(kind: FailureKind, text: String) -> Outcome {
    Outcome::Failed(Failure { kind, text })
}

/// There is no keeper that could reboot.
pub fn no_keeper() -> Outcome {
    failed(FailureKind::Other, wording::NO_KEEPER.into())
}
