//! A helper process that lives no longer than its owner.
//!
//! Dropping it kills it. When this process dies, by whatever signal, the kernel kills it: the
//! parent-death signal of prctl(2). That signal is tied to the *thread* that forked, so each
//! helper has a thread that starts it, waits for it and does nothing else. Never signals by a
//! process id, which may belong to somebody else by then, only through a pidfd.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use rustix::process::{
    Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal, set_parent_process_death_signal,
};

use crate::failure::{Failure, Result, Tried};
use crate::program;

/// A running helper process.
#[derive(Debug)]
pub struct Helper {
    pid: Pid,
    handle: OwnedFd,
    output: Option<ChildStdout>,
    waiter: Option<JoinHandle<()>>,
}

struct Started {
    pid: Pid,
    handle: OwnedFd,
    output: Option<ChildStdout>,
}

impl Helper {
    /// Starts the command, in a process group of its own so that Ctrl-C reaches us alone.
    pub fn start(mut command: Command) -> Result<Helper> {
        let what = format!("start {command:?}");
        let (tell, told) = mpsc::channel();
        let life = move || match begin(&mut command) {
            Ok((started, mut child)) => {
                let _ = tell.send(Ok(started));
                let _ = child.wait();
            }
            Err(error) => drop(tell.send(Err(error))),
        };
        let waiter = thread::Builder::new().name("helper".to_owned()).spawn(life).tried(&what)?;
        let Started { pid, handle, output } = told.recv().tried(&what)?.tried(&what)?;
        Ok(Helper { pid, handle, output, waiter: Some(waiter) })
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Its standard output, once, where the command asked for a pipe.
    pub fn take_output(&mut self) -> Result<ChildStdout> {
        self.output.take().ok_or_else(|| Failure::new("the helper's output is not a pipe of ours"))
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.waiter.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        pidfd_send_signal(&self.handle, signal)
            .tried(format_args!("send {signal:?} to helper {}", self.pid.as_raw_nonzero()))
    }

    /// Kills it and waits until it is gone; a stopped one too. Once is enough.
    pub fn kill(&mut self) {
        let Some(waiter) = self.waiter.take() else { return };
        // It fails only where the helper has ended already.
        let _ = self.signal(Signal::KILL);
        let _ = waiter.join();
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where a helper program of these tests was built: beside the test, or one folder above.
pub fn binary(name: &str) -> Result<PathBuf> {
    let ours = program::ours()?;
    let built = ours.ancestors().skip(1).take(2).map(|folder| folder.join(name));
    built.into_iter().find(|path| path.is_file()).ok_or_else(|| {
        Failure::new(format!("{name} is not built: cargo build -p xvdguard-tests --bin {name}"))
    })
}

fn begin(command: &mut Command) -> io::Result<(Started, Child)> {
    command.process_group(0);
    // SAFETY: between fork and exec only this one system call is made; it allocates nothing.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    let mut child = command.spawn()?;
    let pid = Pid::from_child(&child);
    // Nobody has waited for it yet, so this is its process id and nobody else's.
    let handle = pidfd_open(pid, PidfdFlags::empty())?;
    Ok((Started { pid, handle, output: child.stdout.take() }, child))
}
