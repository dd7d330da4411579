//! Work that may touch a sick disk: in a forked child with a deadline, never in the caller.
//!
//! The child holds nothing of the caller: standard streams and every other file are closed, so
//! that a caller which waits for the end of a pipe never waits for a disk. It answers with a few
//! bytes through a pipe of ours; one that does not answer in time is killed and left.

use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use nix::unistd::{ForkResult, fork};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::{Errno, read, write};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{
    Pid, Signal, WaitOptions, kill_process, set_parent_process_death_signal, waitpid,
};

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
    let mut children: Vec<Result<Child>> = tasks.into_iter().map(Child::start).collect();
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

struct Child {
    pid: Pid,
    pipe: OwnedFd,
    answer: Vec<u8>,
    ending: Option<Ending>,
}

impl Child {
    fn start(task: Task<'_>) -> Result<Child> {
        let failed = |errno| Error::system("start", "a child process", errno);
        let (pipe, answer_to) =
            pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).map_err(failed)?;
        // SAFETY: the program has one thread. In a test, which has several, the child only
        // allocates (glibc keeps malloc usable across fork) and makes system calls.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => in_child(task, &answer_to),
            Ok(ForkResult::Parent { child }) => {
                let pid = Pid::from_raw(child.as_raw()).ok_or_else(|| failed(Errno::SRCH))?;
                Ok(Child { pid, pipe, answer: Vec::new(), ending: None })
            }
            Err(errno) => Err(failed(Errno::from_raw_os_error(errno as i32))),
        }
    }

    /// Takes what the pipe holds; its end is the child's.
    fn receive(&mut self) {
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

    fn finish(self) -> Ending {
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
        child.receive();
    });
    true
}

/// Never returns.
fn in_child(task: Task<'_>, answer_to: &OwnedFd) -> ! {
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    close_all_but(answer_to.as_raw_fd());
    send(answer_to, &task());
    // SAFETY: ends the process at once; no destructor or buffer of the parent's runs twice.
    unsafe { nix::libc::_exit(0) }
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
    for fd in open_files().into_iter().filter(|fd| *fd > 2 && *fd != keep) {
        // Some are closed already, the listing's own above all; rustix would panic at that.
        // SAFETY: nothing in this child uses these descriptors again: what it needs, it opens.
        unsafe { nix::libc::close(fd) };
    }
}

/// Descriptors of this process; where procfs does not tell, as many as a small program has.
fn open_files() -> Vec<RawFd> {
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    let listed = rustix::fs::open("/proc/self/fd", flags, rustix::fs::Mode::empty())
        .and_then(|folder| rustix::fs::Dir::read_from(folder.as_fd()));
    let Ok(listed) = listed else { return (3..1024).collect() };
    let names = listed.flatten();
    names.filter_map(|entry| entry.file_name().to_str().ok()?.parse().ok()).collect()
}
