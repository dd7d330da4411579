//! Signals as something to poll, and all of them kept away.

use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::io::Errno;

/// What an administrator or an init asks of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// SIGTERM or SIGINT.
    End,
    /// SIGHUP.
    Reload,
}

/// Signals that wait to be read.
#[derive(Debug)]
pub struct Signals(SignalFd);

impl Signals {
    /// From here on these signals interrupt nothing.
    pub fn take() -> Result<Signals, Errno> {
        let mut set = SigSet::empty();
        let ours = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP];
        ours.into_iter().for_each(|signal| set.add(signal));
        let failed = |errno: nix::errno::Errno| Errno::from_raw_os_error(errno as i32);
        set.thread_block().map_err(failed)?;
        SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)
            .map(Signals)
            .map_err(failed)
    }

    /// The oldest that was not taken.
    pub fn next(&self) -> Option<Asked> {
        let info = self.0.read_signal().ok()??;
        let is_reload = info.ssi_signo == Signal::SIGHUP as u32;
        Some(if is_reload { Asked::Reload } else { Asked::End })
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// No signal but SIGKILL and SIGSTOP reaches this process any more.
pub fn block_all() {
    // It fails only for a wrong argument (pthread_sigmask(3)).
    let _ = SigSet::all().thread_block();
}

/// Lets every signal through again, for a program that is about to be executed.
pub fn unblock_all() {
    let _ = SigSet::all().thread_unblock();
}
