//! The way to xenstored: the kernel's device in a guest, a socket where xenstored runs.
//!
//! Nothing here waits but `Link::open` (for a socket whose queue is full) and `Link::wait`, both up
//! to a deadline. One thing cannot be helped: inside write(2) the kernel itself waits for
//! xenstored, without a deadline, for watches, and up to 4.10 for every request.
//! Tests: `tests/opening.rs` beside this file, and `tests/xenstore`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use xvdguard_logic::text::Text;

use super::session::{DEVICE_WINDOW, SOCKET_WINDOW};
use crate::error::{Error, Result};

/// Where xenstore is, in the order in which it is tried.
const PLACES: [&str; 4] =
    ["/dev/xen/xenbus", "/proc/xen/xenbus", "/run/xenstored/socket", "/var/run/xenstored/socket"];
/// How long to wait where nothing tells when a write or connect(2) is possible again.
const AGAIN: Duration = Duration::from_millis(10);
/// File systems in which the device is a plain file: xenfs, and proc up to 2.6.28.
const PLAIN_FILE_ON: [u32; 2] = [0xabba_1974, 0x9fa0];

/// An open connection.
#[derive(Debug)]
pub struct Link {
    fd: OwnedFd,
    is_socket: bool,
}

/// What became of bytes that were to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// So many were taken.
    Some(usize),
    /// None now; later perhaps.
    Later,
    /// This message was refused; the next may be taken.
    Refused(Errno),
    /// Nothing will ever be taken again.
    Lost(Errno),
}

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// So many bytes.
    Some(usize),
    /// Nothing now.
    Nothing,
    /// Nothing ever again: the other side has closed it.
    Closed,
    /// Nothing ever again: an error.
    Lost(Errno),
}

impl Link {
    /// Opens the first place where xenstore is.
    pub fn find(deadline: Instant) -> Result<Link> {
        let mut failed = None;
        for place in PLACES {
            match Link::open(Path::new(place), deadline) {
                Ok(link) => return Ok(link),
                Err(error) if error.errno() == Some(Errno::NOENT) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        let none = format!("there is none of {}", PLACES.join(", "));
        Err(failed.unwrap_or_else(|| Error::content("find", "xenstore", none)))
    }

    /// Opens a socket or a device, whichever the path is.
    pub fn open(path: &Path, deadline: Instant) -> Result<Link> {
        let failed = |errno| Error::system("open", shown(path), errno);
        let stat = rustix::fs::stat(path).map_err(failed)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Socket => connect(path, deadline).map(Link::socket),
            FileType::CharacterDevice => open_device(path).map_err(failed).map(Link::device),
            FileType::RegularFile => {
                let fd = open_device(path).map_err(failed)?;
                let on = rustix::fs::fstatfs(&fd).map_err(failed)?.f_type as u32;
                let is_device = PLAIN_FILE_ON.contains(&on);
                is_device.then(|| Link::device(fd)).ok_or_else(|| unsuitable(path))
            }
            _ => Err(unsuitable(path)),
        }
    }

    /// A connected socket, not blocking.
    pub fn socket(fd: OwnedFd) -> Link {
        Link { fd, is_socket: true }
    }

    /// Linux's device, not blocking.
    pub fn device(fd: OwnedFd) -> Link {
        Link { fd, is_socket: false }
    }

    /// How many requests may be unanswered at a time.
    pub fn window(&self) -> usize {
        if self.is_socket { SOCKET_WINDOW } else { DEVICE_WINDOW }
    }

    /// Sends what can be sent without waiting.
    pub fn send(&self, bytes: &[u8]) -> Sent {
        let result = if self.is_socket {
            rustix::net::send(&self.fd, bytes, SendFlags::NOSIGNAL)
        } else {
            rustix::io::write(&self.fd, bytes)
        };
        match result {
            Ok(count) => Sent::Some(count),
            Err(Errno::AGAIN | Errno::INTR) => Sent::Later,
            Err(errno) if self.is_socket => Sent::Lost(errno),
            Err(errno) => Sent::Refused(errno),
        }
    }

    /// Receives what is there without waiting.
    pub fn receive(&self, buffer: &mut [u8]) -> Received {
        match rustix::io::read(&self.fd, buffer) {
            Ok(0) => Received::Closed,
            Ok(count) => Received::Some(count),
            Err(Errno::AGAIN | Errno::INTR) => Received::Nothing,
            Err(errno) => Received::Lost(errno),
        }
    }

    /// Waits until something can be received, or sent if that is wanted, or the deadline. May
    /// return early.
    pub fn wait(&self, to_send: bool, deadline: Instant) {
        let mut left = deadline.saturating_duration_since(Instant::now());
        let mut flags = PollFlags::IN;
        if to_send && self.is_socket {
            flags |= PollFlags::OUT;
        } else if to_send {
            // The device never says that it can be written.
            left = left.min(AGAIN);
        }
        wait(&mut [PollFd::new(&self.fd, flags)], left);
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits for one of the descriptors, or so long; a signal ends it early.
fn wait(descriptors: &mut [PollFd<'_>], at_most: Duration) {
    let (tv_sec, tv_nsec) = (at_most.as_secs() as _, at_most.subsec_nanos().into());
    let _ = poll(descriptors, Some(&Timespec { tv_sec, tv_nsec }));
}

fn open_device(path: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    rustix::fs::open(path, flags, Mode::empty())
}

/// Connects; a server that hangs may have a full queue, which connect(2) reports as EAGAIN.
fn connect(path: &Path, deadline: Instant) -> Result<OwnedFd> {
    let failed = |errno| Error::system("connect to", shown(path), errno);
    let started = Instant::now();
    let address = SocketAddrUnix::new(path).map_err(failed)?;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .map_err(failed)?;
    loop {
        match rustix::net::connect(&fd, &address) {
            Ok(()) => return Ok(fd),
            Err(Errno::AGAIN | Errno::INTR) if Instant::now() < deadline => {
                wait(&mut [], AGAIN);
            }
            Err(Errno::AGAIN | Errno::INTR) => {
                let after_ms = started.elapsed().as_millis() as u64;
                return Err(Error::timed_out("connect to", shown(path), after_ms));
            }
            Err(errno) => return Err(failed(errno)),
        }
    }
}

fn unsuitable(path: &Path) -> Error {
    let why = "it is neither the socket of xenstored nor the device of a Xen guest";
    Error::content("open", shown(path), why)
}

fn shown(path: &Path) -> Text {
    Text::from(path.as_os_str().as_bytes())
}
