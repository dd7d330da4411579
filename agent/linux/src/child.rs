//! Work that may touch a sick disk: in a forked child with a deadline, never in the caller.
//!
//! The child holds nothing of the caller: standard streams and every other file are closed, so
//! that a caller which waits for the end of a pipe never waits for a disk. It answers with a few
//! bytes through a pipe of ours; one that does not answer in time is killed and left.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal, waitpid,
};

use crate::calls::fork::{self, Side};
use crate::calls::signals;
use crate::error::{Error, Result};

/// An answer of up to so many bytes takes one write (PIPE_BUF, pipe(7)); longer ones take more.
pub const SHORT_ANSWER: usize = 4096;

/// What a child does; it returns its answer.
pub type Task<'a> = Box<dyn FnOnce() -> Vec<u8> + 'a>;

/// How a child ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It answered.
    Answered(Vec<u8>),
    /// It ended without an answer.
    Died,
    /// It did not end in time; it was killed, and may hang on until the disk answers.
    Silent,
}

/// Whether this process may open every node.
pub fn is_privileged() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs tasks side by side, each in a child of its own, and waits for all until the deadline.
/// The endings stand in the order of the tasks.
pub fn run_all(tasks: Vec<Task<'_>>, deadline: Instant) -> Vec<Result<Ending>> {
    let start = |task| Child::start(task, Bond::DiesWithUs);
    let mut children: Vec<Result<Child>> = tasks.into_iter().map(start).collect();
    loop {
        let waiting: Vec<&mut Child> =
            children.iter_mut().flatten().filter(|child| child.ending.is_none()).collect();
        let left = deadline.saturating_duration_since(Instant::now());
        if waiting.is_empty() || left.is_zero() || !wait(waiting, left) {
            break;
        }
    }
    children.into_iter().map(|child| child.map(Child::finish)).collect()
}

/// Runs one task.
pub fn run(task: Task<'_>, deadline: Instant) -> Result<Ending> {
    run_all(vec![task], deadline).pop().unwrap_or(Ok(Ending::Died))
}

/// What becomes of a child when its parent ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It is killed.
    DiesWithUs,
    /// It goes on: half of its work would be worse than all of it.
    GoesOn,
}

/// A child that is at work.
#[derive(Debug)]
pub(crate) struct Child {
    pub(crate) pid: Pid,
    pub(crate) pipe: OwnedFd,
    answer: Vec<u8>,
    pub(crate) ending: Option<Ending>,
}

impl Child {
    pub(crate) fn start(task: Task<'_>, bond: Bond) -> Result<Child> {
        let failed = |errno| Error::system("start", "a child process", errno);
        let (pipe, answer_to) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(failed)?;
        match fork::split().map_err(failed)? {
            Side::Child => in_child(task, &answer_to, bond),
            Side::Parent(pid) => Ok(Child { pid, pipe, answer: Vec::new(), ending: None }),
        }
    }

    /// Takes what the pipe holds; its end is the child's.
    pub(crate) fn receive_some(&mut self) {
        let mut buffer = [0; SHORT_ANSWER];
        loop {
            match read(&self.pipe, &mut buffer) {
                Ok(count) if count > 0 => self.answer.extend_from_slice(&buffer[..count]),
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                _ => break,
            }
        }
        let answer = std::mem::take(&mut self.answer);
        let is_empty = answer.is_empty();
        self.ending = Some(if is_empty { Ending::Died } else { Ending::Answered(answer) });
    }

    /// Ends it where it has not ended, and waits for it where that is possible.
    pub(crate) fn finish(self) -> Ending {
        if self.ending.is_none() {
            // A child in uninterruptible sleep ends when its disk answers, not before.
            let _ = kill_process(self.pid, Signal::KILL);
        }
        let options =
            if self.ending.is_some() { WaitOptions::empty() } else { WaitOptions::NOHANG };
        while matches!(waitpid(Some(self.pid), options), Err(Errno::INTR)) {}
        self.ending.unwrap_or(Ending::Silent)
    }
}

/// Waits until one of them has something to say; false when time is over.
fn wait(mut children: Vec<&mut Child>, left: Duration) -> bool {
    let mut polled: Vec<PollFd<'_>> =
        children.iter().map(|child| PollFd::new(&child.pipe, PollFlags::IN)).collect();
    let timeout =
        Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
    match poll(&mut polled, Some(&timeout)) {
        Ok(0) => return false,
        Err(Errno::INTR) => return true,
        Err(_) => return false,
        Ok(_) => {}
    }
    let ready: Vec<bool> = polled.iter().map(|one| !one.revents().is_empty()).collect();
    drop(polled);
    children.iter_mut().zip(ready).filter(|(_, is_ready)| *is_ready).for_each(|(child, _)| {
        child.receive_some();
    });
    true
}

/// Never returns.
fn in_child(task: Task<'_>, answer_to: &OwnedFd, bond: Bond) -> ! {
    if bond == Bond::DiesWithUs {
        let _ = set_parent_process_death_signal(Some(Signal::KILL));
    }
    close_all_but(answer_to.as_raw_fd());
    // The daemon reads its signals; a child, and what it executes, obeys them.
    signals::unblock_all();
    send(answer_to, &task());
    fork::exit(0)
}

/// Writes all of an answer; waits while the pipe is full. A parent that is gone ends it.
fn send(answer_to: &OwnedFd, mut answer: &[u8]) {
    while !answer.is_empty() {
        match write(answer_to, answer) {
            Ok(count) => answer = &answer[count..],
            Err(Errno::AGAIN) => {
                let mut pipe = [PollFd::new(answer_to, PollFlags::OUT)];
                if !matches!(poll(&mut pipe, None), Ok(_) | Err(Errno::INTR)) {
                    return;
                }
            }
            Err(Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Points the standard streams at nothing and closes every other file but one.
fn close_all_but(keep: RawFd) {
    // The reading end of a pipe refuses every write: a late message can never reach a disk's node.
    if let Ok((nowhere, _)) = pipe_with(PipeFlags::empty()) {
        let _ = rustix::stdio::dup2_stdin(&nowhere);
        let _ = rustix::stdio::dup2_stdout(&nowhere);
        let _ = rustix::stdio::dup2_stderr(&nowhere);
    }
    // Some are closed already, the listing's own above all.
    let others = open_files().into_iter().filter(|fd| *fd > 2 && *fd != keep);
    others.for_each(fork::close);
}

/// Descriptors of this process; where procfs does not tell, as many as a small program has.
pub(crate) fn open_files() -> Vec<RawFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let listed = rustix::fs::open("/proc/self/fd", flags, rustix::fs::Mode::empty())
        .and_then(|folder| rustix::fs::Dir::read_from(folder.as_fd()));
    let Ok(listed) = listed else { return (3..1024).collect() };
    let names = listed.flatten();
    names.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}
