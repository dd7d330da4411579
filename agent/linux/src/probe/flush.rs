//! One flush of one node. Runs in a child; may hang as long as the disk is silent.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

use rustix::fs::{FileType, OFlags, fstat, fsync, major, minor};
use rustix::io::Errno;
use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::judge::{NotSent, ProbeOutcome};

use super::uring;
use crate::observe::block_devices::path;
use crate::root::Root;

/// Which flush may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A ranged flush beyond the node's data (io_uring, 5.1+): dirty pages stay where they are.
    Ranged,
    /// That, or a plain fsync where the kernel has no ranged one and nobody unknown holds the node.
    RangedOrPlain,
    /// A plain fsync, whatever the node carries. For tests that show why it is never used.
    Plain,
}

/// What the child found, as it crosses the pipe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// fsync returned 0 after so many microseconds.
    Returned(u64),
    /// fsync returned an errno.
    Error(i32),
    /// No ranged flush here, and a plain one is not allowed.
    Mounted,
    /// Held by something unknown.
    Claimed,
    /// No such node, or another device.
    Unusable,
}

impl Answer {
    /// One letter and a number.
    pub fn encode(self) -> Vec<u8> {
        let (letter, number) = match self {
            Answer::Returned(took_us) => (b'r', took_us),
            Answer::Error(errno) => (b'e', errno as u64),
            Answer::Mounted => (b'm', 0),
            Answer::Claimed => (b'c', 0),
            Answer::Unusable => (b'u', 0),
        };
        [&[letter][..], &number.to_le_bytes()].concat()
    }

    /// What `encode` wrote; anything else is a node that could not be used.
    pub fn decode(bytes: &[u8]) -> Self {
        let number = bytes.get(1..9).and_then(|bytes| bytes.try_into().ok());
        let number = number.map(u64::from_le_bytes).unwrap_or(0);
        match bytes.first() {
            Some(b'r') => Answer::Returned(number),
            Some(b'e') => Answer::Error(number as i32),
            Some(b'm') => Answer::Mounted,
            Some(b'c') => Answer::Claimed,
            _ => Answer::Unusable,
        }
    }

    /// The same in the words of the verdict.
    pub fn outcome(self) -> ProbeOutcome {
        match self {
            Answer::Returned(took_us) => ProbeOutcome::Returned { took_us },
            Answer::Error(errno) => ProbeOutcome::Error { errno },
            Answer::Mounted => ProbeOutcome::NotSent(NotSent::Mounted),
            Answer::Claimed => ProbeOutcome::NotSent(NotSent::Claimed),
            Answer::Unusable => ProbeOutcome::NotSent(NotSent::NodeUnusable),
        }
    }
}

/// Flushes `dev/NAME` below the root, if it is the device `number`.
pub fn flush(root: &Root, name: &Text, number: DeviceNumber, method: Method) -> Answer {
    // The child has closed the caller's files: the root is opened anew.
    let Ok(root) = root.reopen() else { return Answer::Unusable };
    let Some(node) = open(&root, name, number) else { return Answer::Unusable };
    let started = Instant::now();
    let result = match method {
        Method::Plain => fsync(&node),
        Method::Ranged | Method::RangedOrPlain => match uring::flush_beyond_data(node.as_fd()) {
            Ok(result) => result,
            Err(_) if method == Method::Ranged => return Answer::Mounted,
            Err(_) if is_claimed_by_unknown(&root, name) => return Answer::Claimed,
            Err(_) => fsync(&node),
        },
    };
    match result {
        Ok(()) => Answer::Returned(started.elapsed().as_micros() as u64),
        Err(errno) => Answer::Error(errno.raw_os_error()),
    }
}

/// Opened for reading: that sends a flush as well, and closing it makes no udev event.
fn open(root: &Root, name: &Text, number: DeviceNumber) -> Option<OwnedFd> {
    let path = [b"dev/", name.as_bytes()].concat();
    let node = root.open(&path, OFlags::RDONLY | OFlags::NONBLOCK).ok()?;
    let stat = fstat(&node).ok()?;
    let is_block = FileType::from_raw_mode(stat.st_mode) == FileType::BlockDevice;
    let same = (major(stat.st_rdev), minor(stat.st_rdev)) == (number.major, number.minor);
    (is_block && same).then_some(node)
}

/// O_EXCL fails on a block device that something holds (open(2)): a mount in another namespace,
/// swap. Device-mapper and md hold it too, but they are known and read it without its page cache.
fn is_claimed_by_unknown(root: &Root, name: &Text) -> bool {
    let holders = root.list(&path(name, "/holders")).unwrap_or_default();
    let dev = [b"dev/", name.as_bytes()].concat();
    let exclusive = root.open(&dev, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::EXCL);
    holders.is_empty() && matches!(exclusive, Err(Errno::BUSY))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_crosses_the_pipe_unchanged() {
        let all = [
            Answer::Returned(3100),
            Answer::Error(5),
            Answer::Mounted,
            Answer::Claimed,
            Answer::Unusable,
        ];
        for answer in all {
            assert_eq!(Answer::decode(&answer.encode()), answer);
        }
        assert_eq!(Answer::decode(b""), Answer::Unusable);
        assert_eq!(Answer::decode(b"r\x01"), Answer::Returned(0));
    }
}
