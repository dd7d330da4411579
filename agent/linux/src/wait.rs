//! poll(2) over many descriptors.

use std::os::fd::BorrowedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What is waited for.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Something to read, or the other side's end.
    Data(BorrowedFd<'a>),
    /// A change that a file of procfs tells of.
    Priority(BorrowedFd<'a>),
}

/// Waits until one of them has something, a signal comes, or the time is over; which have, in
/// their order; where it could not be waited, all may have. procfs tells of a change once: whoever
/// polls must not ask twice.
pub fn wait(wanted: &[Wanted<'_>], patience: Duration) -> Vec<bool> {
    let polled = wanted.iter().map(|one| match one {
        Wanted::Data(fd) => PollFd::from_borrowed_fd(*fd, PollFlags::IN),
        Wanted::Priority(fd) => PollFd::from_borrowed_fd(*fd, PollFlags::PRI),
    });
    let patience = Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(patience.subsec_nanos()),
    };
    let mut polled: Vec<PollFd<'_>> = polled.collect();
    match poll(&mut polled, Some(&patience)) {
        // An error is a reason to look, as everything else is.
        Ok(_) => polled.iter().map(|one| !one.revents().is_empty()).collect(),
        Err(_) => vec![true; wanted.len()],
    }
}
