//! A kernel log that the test writes, and that the program under test follows as it would follow
//! the kernel's.
//!
//! Nobody can make the kernel say that a blkfront failed. So `dev/kmsg` of the guest becomes a
//! terminal's end: a character device as well, one line for each read(2), EAGAIN at the end, and
//! what the program writes to it is heard at the other end. Unlike the kernel's it has one
//! position for all readers: a line that one program took is gone for the next.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, read, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::failure::{Result, Tried};
use crate::guest_root::GuestRoot;
use crate::mount::Mounted;

/// The log of one guest; drop it before the guest.
#[derive(Debug)]
pub struct LiveLog {
    ours: OwnedFd,
    _theirs: OwnedFd,
    _shown: Mounted,
}

impl LiveLog {
    /// Gives the guest such a log, with nothing in it.
    pub fn show_in(root: &GuestRoot) -> Result<LiveLog> {
        let what = "make a terminal";
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = openpt(flags).tried(what)?;
        grantpt(&ours).tried(what)?;
        unlockpt(&ours).tried(what)?;
        rustix::io::ioctl_fionbio(&ours, true).tried(what)?;
        let name = ptsname(&ours, Vec::new()).tried(what)?.to_string_lossy().into_owned();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(&*name, flags, Mode::empty()).tried(what)?;
        let mut modes = tcgetattr(&theirs).tried(what)?;
        modes.make_raw();
        // One line for each read; raw in all else.
        modes.local_modes |= LocalModes::ICANON;
        tcsetattr(&theirs, OptionalActions::Now, &modes).tried(what)?;
        let shown = Mounted::bind(Path::new(&name), &root.within("dev/kmsg"))?;
        Ok(LiveLog { ours, _theirs: theirs, _shown: shown })
    }

    /// Adds a record: `6,0,0,-;Linux version 6.12`.
    pub fn add(&self, record: &str) -> Result<()> {
        let line = format!("{record}\n");
        write(&self.ours, line.as_bytes()).map(drop).tried(format_args!("log {record:?}"))
    }

    /// What was written to it since the last time it was asked.
    pub fn heard(&self) -> Result<String> {
        let mut heard = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            match read(&self.ours, &mut buffer) {
                Ok(0) | Err(Errno::AGAIN) => break,
                Ok(count) => heard.extend_from_slice(&buffer[..count]),
                Err(errno) => return Err(errno).tried("read what was written to the log"),
            }
        }
        Ok(String::from_utf8_lossy(&heard).into_owned())
    }
}
