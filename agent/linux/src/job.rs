//! Work in a child, for a loop that never waits: started, polled, and left where it hangs.
//!
//! A job that outlives its deadline is killed, but for one that must not be (`Limit::Never`). What
//! cannot be killed, in uninterruptible sleep on a sick disk, is left and counted, never waited
//! for.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};

use crate::child::{Bond, Child, Ending, Task};
use crate::error::Result;
use crate::wait::{self, Wanted};

/// How long a job may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Then it is killed, and it does not outlive us.
    Within(Duration),
    /// It ends by itself, also without us.
    Never,
}

/// A job that is under way.
#[derive(Debug)]
pub struct Job {
    child: Child,
    deadline: Option<Instant>,
}

impl Job {
    /// Starts it.
    pub fn start(task: Task<'_>, limit: Limit) -> Result<Job> {
        let (bond, deadline) = match limit {
            Limit::Within(time) => (Bond::DiesWithUs, Some(Instant::now() + time)),
            Limit::Never => (Bond::GoesOn, None),
        };
        Ok(Job { child: Child::start(task, bond)?, deadline })
    }

    /// When it is to be looked at, even if it says nothing.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        self.child.pid
    }

    /// Takes what it has said; whether it is over, by its end or by its deadline.
    pub fn is_over(&mut self) -> bool {
        if self.child.ending.is_none() {
            self.child.receive_some();
        }
        let is_late = self.deadline.is_some_and(|deadline| deadline <= Instant::now());
        self.child.ending.is_some() || is_late
    }

    /// Waits until it is over: for a command, which has nothing else to do.
    pub fn wait(&mut self) {
        const LONG: Duration = Duration::from_secs(3600);
        while !self.is_over() {
            let left = self.deadline.map(|end| end.saturating_duration_since(Instant::now()));
            wait::wait(&[Wanted::Data(self.as_fd())], left.unwrap_or(LONG));
        }
    }

    /// How it ended. One that has not is killed, and left where that does not help.
    pub fn finish(self) -> Ending {
        self.child.finish()
    }
}

impl AsFd for Job {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child.pipe.as_fd()
    }
}

/// Processes that were killed and hang on.
#[derive(Debug, Default)]
pub struct Left(Vec<Pid>);

impl Left {
    /// Notes a job that did not end.
    pub fn note(&mut self, pid: Pid) {
        self.0.push(pid);
    }

    /// How many there are still; those that have ended are buried.
    pub fn count(&mut self) -> usize {
        self.0.retain(|pid| {
            let waited = waitpid(Some(*pid), WaitOptions::NOHANG);
            matches!(waited, Ok(None) | Err(Errno::INTR))
        });
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_answers_when_it_is_done() {
        let task: Task<'_> = Box::new(|| vec![b'x'; 100_000]);
        let mut job = Job::start(task, Limit::Never).unwrap();
        job.wait();
        assert_eq!(job.finish(), Ending::Answered(vec![b'x'; 100_000]));
    }

    #[test]
    fn a_job_that_hangs_is_killed_at_its_deadline_and_buried() {
        let forever: Task<'_> = Box::new(|| {
            crate::clock::pause(Duration::from_secs(3600));
            Vec::new()
        });
        let mut job = Job::start(forever, Limit::Within(Duration::ZERO)).unwrap();
        assert!(job.is_over());
        let mut left = Left::default();
        left.note(job.pid());
        assert_eq!(job.finish(), Ending::Silent);
        while left.count() > 0 {
            std::thread::yield_now();
        }
    }
}
