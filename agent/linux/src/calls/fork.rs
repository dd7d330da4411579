//! fork(2) and what a child needs before it may do anything else.
//!
//! Never execs, never runs destructors of the parent in the child.

use std::os::fd::RawFd;

use nix::libc;
use nix::unistd::{ForkResult, fork};
use rustix::io::Errno;
use rustix::process::Pid;

/// Where the caller is after a fork.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// In the new process.
    Child,
    /// In the old one; the new one's id.
    Parent(Pid),
}

/// Makes a child of this process.
pub fn split() -> Result<Side, Errno> {
    // SAFETY: the program has one thread. In a test, which has several, the child only
    // allocates (glibc keeps malloc usable across fork) and makes system calls.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => Ok(Side::Child),
        Ok(ForkResult::Parent { child }) => {
            Pid::from_raw(child.as_raw()).map(Side::Parent).ok_or(Errno::SRCH)
        }
        Err(errno) => Err(Errno::from_raw_os_error(errno as i32)),
    }
}

/// Ends this process at once.
pub fn exit(code: i32) -> ! {
    // SAFETY: ends the process; no destructor or buffer of the parent's runs twice.
    unsafe { libc::_exit(code) }
}

/// Closes a descriptor that may be closed already; rustix would panic at that.
pub fn close(fd: RawFd) {
    // SAFETY: only called in a fresh child, which opens anew whatever it needs.
    unsafe { libc::close(fd) };
}
