//! The way to xenstored: the kernel's device in a guest, a socket where xenstored runs.
//!
//! Nothing here waits but `Link::open` (for a socket whose queue is full) and `wait`, both up
//! to a deadline. One thing cannot be helped: inside write(2) the kernel itself waits for
//! xenstored, without a deadline, for watches (see `Session::ask`), and up to 4.10 for every
//! request.
//! Tests: `tests/opening.rs` beside this file, and `tests/xenstore`.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketAddrUnix, SocketFlags, SocketType};
use xvdguard_logic::text::Text;

use super::exchange::Exchange;
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
    /// Where the device can be opened once more.
    path: Option<PathBuf>,
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
            FileType::CharacterDevice => {
                let fd = open_device(path).map_err(failed)?;
                Ok(Link { path: Some(path.to_owned()), ..Link::device(fd) })
            }
            FileType::RegularFile => {
                let fd = open_device(path).map_err(failed)?;
                let on = rustix::fs::fstatfs(&fd).map_err(failed)?.f_type as u32;
                let is_device = PLAIN_FILE_ON.contains(&on);
                let link = || Link { path: Some(path.to_owned()), ..Link::device(fd) };
                is_device.then(link).ok_or_else(|| unsuitable(path))
            }
            _ => Err(unsuitable(path)),
        }
    }

    /// A connected socket, not blocking.
    pub fn socket(fd: OwnedFd) -> Link {
        Link { fd, is_socket: true, path: None }
    }

    /// Linux's device, not blocking.
    pub fn device(fd: OwnedFd) -> Link {
        Link { fd, is_socket: false, path: None }
    }

    /// The device once more: an open file of its own. `None` for a socket, which needs no second.
    pub fn another(&self) -> Option<Link> {
        let path = self.path.clone()?;
        let fd = open_device(&path).ok()?;
        Some(Link { fd, is_socket: false, path: Some(path) })
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

    /// What to wait for: something to receive, and room to send if that is wanted.
    pub fn waits_for(&self, to_send: bool) -> Wait<'_> {
        let mut flags = PollFlags::IN;
        if to_send && self.is_socket {
            flags |= PollFlags::OUT;
        }
        // The device never says that it can be written.
        let again = to_send && !self.is_socket;
        Wait { descriptor: PollFd::new(&self.fd, flags), again }
    }
}

/// What one connection waits for.
pub struct Wait<'a> {
    descriptor: PollFd<'a>,
    /// Whether it has to be tried again without a sign.
    again: bool,
}

/// Waits until one of the connections has something, or the deadline. May return early.
pub fn wait<'a>(exchanges: impl Iterator<Item = &'a Exchange>, deadline: Instant) {
    let waits: Vec<Wait<'_>> = exchanges.map(Exchange::waits_for).collect();
    let left = deadline.saturating_duration_since(Instant::now());
    let again = waits.iter().any(|wait| wait.again);
    let mut descriptors: Vec<PollFd<'_>> = waits.into_iter().map(|wait| wait.descriptor).collect();
    poll_for(&mut descriptors, if again { left.min(AGAIN) } else { left });
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Waits for one of the descriptors, or so long; a signal ends it early.
fn poll_for(descriptors: &mut [PollFd<'_>], at_most: Duration) {
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
                poll_for(&mut [], AGAIN);
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
