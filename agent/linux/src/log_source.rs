//! A kernel log to be read once, in pieces: a file, a pipe, standard input, or `/dev/kmsg`.
//!
//! Never holds more than one piece, so that a pipe may bring more than memory holds.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::{Errno, read};
use rustix::stdio;
use xvdguard_logic::text::Text;

use crate::error::{Error, Result};
use crate::root::Root;

/// Bytes of one read(2): large enough that the call costs nothing beside its work.
const PIECE_BYTES: usize = 256 * 1024;

/// `/dev/kmsg` (drivers/char/mem.c).
const KMSG: (u32, u32) = (1, 11);

/// What the first bytes of files that are no text tell, and what makes text of them.
const NO_TEXT: [(&[u8], &str, &str); 5] = [
    (b"\x1f\x8b", "compressed by gzip", "zcat"),
    (b"\xfd7zXZ\0", "compressed by xz", "xzcat"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "zstdcat"),
    (b"BZh", "compressed by bzip2", "bzcat"),
    (b"LPKSHHRH", "a journal", "journalctl -k -o export --file"),
];

/// An opened log.
#[derive(Debug)]
pub struct LogSource {
    input: Input,
    name: Text,
}

#[derive(Debug)]
enum Input {
    /// One record for each read(2); EAGAIN at the end, EPIPE where records were overwritten.
    Records(OwnedFd),
    Stream(OwnedFd),
    Standard,
}

impl LogSource {
    /// `dev/kmsg` below a root.
    pub fn of(root: &Root) -> Result<LogSource> {
        let path = b"dev/kmsg";
        Self::over(root.open(path, OFlags::RDONLY | OFlags::NONBLOCK), root.shown(path))
    }

    /// A file that a person named, from the working directory on.
    pub fn named(path: &[u8]) -> Result<LogSource> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC;
        let file = match fs::stat(path) {
            Ok(stat) if is_kmsg(&stat) => fs::open(path, flags | OFlags::NONBLOCK, Mode::empty()),
            _ => fs::open(path, flags, Mode::empty()),
        };
        Self::over(file, Text::from(path))
    }

    /// Standard input.
    pub fn standard_input() -> LogSource {
        LogSource { input: Input::Standard, name: Text::from("standard input") }
    }

    /// Hands on all of it, piece by piece. An error also where it begins like something that is no
    /// text.
    pub fn read(&self, mut take: impl FnMut(&[u8])) -> Result<()> {
        let mut buffer = vec![0; PIECE_BYTES];
        let mut is_first = true;
        loop {
            let failed = |errno| Error::system("read", self.name.clone(), errno);
            let count = self.read_piece(&mut buffer).map_err(failed)?;
            let piece = &buffer[..count];
            if std::mem::take(&mut is_first) {
                self.check_text(piece)?;
            }
            if piece.is_empty() {
                return Ok(());
            }
            take(piece);
        }
    }

    fn over(file: std::result::Result<OwnedFd, Errno>, name: Text) -> Result<LogSource> {
        let failed = |errno| Error::system("open", name.clone(), errno);
        let file = file.map_err(failed)?;
        let stat = fs::fstat(&file).map_err(failed)?;
        let input = if is_kmsg(&stat) { Input::Records(file) } else { Input::Stream(file) };
        Ok(LogSource { input, name })
    }

    fn read_piece(&self, buffer: &mut [u8]) -> std::result::Result<usize, Errno> {
        let (file, is_records): (BorrowedFd<'_>, bool) = match &self.input {
            Input::Records(file) => (file.as_fd(), true),
            Input::Stream(file) => (file.as_fd(), false),
            Input::Standard => (stdio::stdin(), false),
        };
        loop {
            match read(file, &mut *buffer) {
                Err(Errno::INTR) => {}
                Err(Errno::PIPE) if is_records => {}
                Err(Errno::AGAIN) if is_records => return Ok(0),
                result => return result,
            }
        }
    }

    fn check_text(&self, start: &[u8]) -> Result<()> {
        let known = NO_TEXT.iter().find(|(magic, ..)| start.starts_with(magic));
        let Some((_, what, program)) = known else { return Ok(()) };
        let name = &self.name;
        let why = format!("it is {what}. Do: {program} {name} | xvdguard explain -");
        Err(Error::content("read", name.clone(), why))
    }
}

fn is_kmsg(stat: &fs::Stat) -> bool {
    let number = (fs::major(stat.st_rdev), fs::minor(stat.st_rdev));
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && number == KMSG
}
