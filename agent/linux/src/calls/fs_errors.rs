//! FAN_FS_ERROR (fanotify(7), 5.16+): the kernel tells of a broken file system the moment it
//! notices, without a line in the log.
//!
//! Only ext4 speaks up to 6.18; xfs and btrfs take the mark in silence. Where the kernel is older
//! or forbids it, `open` fails and the other sources must do.

use std::ffi::CString;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

use nix::libc;
use rustix::io::{Errno, read};

/// What fanotify(7) calls them; libc has not all of them on every target.
const EVENT_METADATA_BYTES: usize = 24;
const INFO_FID: u8 = 1;
const INFO_ERROR: u8 = 5;
/// Far more than one event: one FID and one error record.
const BUFFER_BYTES: usize = 4096;

/// The id of a mounted file system, as statfs(2) gives it.
pub type FsId = [i32; 2];

/// A group that is told of errors.
#[derive(Debug)]
pub struct FsErrors(OwnedFd);

/// One error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FsError {
    /// Whose.
    pub file_system: FsId,
    /// The first errno since the last event.
    pub errno: i32,
    /// How many since the last event.
    pub count: u32,
}

impl FsErrors {
    /// Makes the group.
    pub fn open() -> Result<FsErrors, Errno> {
        let flags =
            libc::FAN_CLASS_NOTIF | libc::FAN_REPORT_FID | libc::FAN_CLOEXEC | libc::FAN_NONBLOCK;
        // SAFETY: takes two numbers.
        let fd = unsafe { libc::fanotify_init(flags, libc::O_RDONLY as u32) };
        if fd < 0 {
            return Err(last_errno());
        }
        // SAFETY: a new descriptor that nobody else owns.
        Ok(FsErrors(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Asks for the errors of the file system that is mounted here; its id.
    pub fn mark(&self, mount_point: &[u8]) -> Result<FsId, Errno> {
        use std::os::fd::AsRawFd;
        let path = CString::new(mount_point).map_err(|_| Errno::INVAL)?;
        let mut stat = std::mem::MaybeUninit::<libc::statfs>::uninit();
        // SAFETY: the path is a C string, the place is as large as statfs(2) writes.
        let stat = unsafe {
            if libc::statfs(path.as_ptr(), stat.as_mut_ptr()) < 0 {
                return Err(last_errno());
            }
            stat.assume_init()
        };
        let flags = libc::FAN_MARK_ADD | libc::FAN_MARK_FILESYSTEM;
        let (group, mask) = (self.0.as_raw_fd(), libc::FAN_FS_ERROR);
        // SAFETY: the path is a C string.
        let marked =
            unsafe { libc::fanotify_mark(group, flags, mask, libc::AT_FDCWD, path.as_ptr()) };
        // SAFETY: fsid_t is two ints (statfs(2)); libc keeps them private.
        let id = unsafe { std::mem::transmute::<libc::fsid_t, FsId>(stat.f_fsid) };
        if marked < 0 { Err(last_errno()) } else { Ok(id) }
    }

    /// Every error that is waiting.
    pub fn take(&self) -> Vec<FsError> {
        let mut found = Vec::new();
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            match read(&self.0, &mut buffer) {
                Ok(count) if count > 0 => found.extend(events(&buffer[..count])),
                Err(Errno::INTR) => {}
                _ => return found,
            }
        }
    }
}

impl AsFd for FsErrors {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn last_errno() -> Errno {
    Errno::from_raw_os_error(nix::errno::Errno::last_raw())
}

fn number(bytes: &[u8], at: usize) -> Option<i32> {
    Some(i32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?)))
}

/// The events of one read(2); what is cut off is none.
fn events(mut bytes: &[u8]) -> Vec<FsError> {
    let mut found = Vec::new();
    while bytes.len() >= EVENT_METADATA_BYTES {
        let length = number(bytes, 0).and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let Some(event) = bytes.get(..length.max(EVENT_METADATA_BYTES)) else { break };
        found.extend(short(event, 6).and_then(|start| error(event.get(start..)?)));
        bytes = &bytes[event.len()..];
    }
    found
}

/// The records of one event: whose error it is, and which.
fn error(mut records: &[u8]) -> Option<FsError> {
    let (mut file_system, mut said) = (None, None);
    while records.len() >= 4 {
        let length = short(records, 2)?.max(4);
        let record = records.get(..length)?;
        match record[0] {
            INFO_FID => file_system = Some([number(record, 4)?, number(record, 8)?]),
            INFO_ERROR => said = Some((number(record, 4)?, number(record, 8)? as u32)),
            _ => {}
        }
        records = &records[length..];
    }
    let (errno, count) = said?;
    Some(FsError { file_system: file_system?, errno, count })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As linux/fanotify.h lays them out: metadata, a FID record with an empty handle, an error.
    fn event(errno: i32) -> Vec<u8> {
        let mut bytes = Vec::new();
        bytes.extend(56u32.to_ne_bytes());
        bytes.extend([3, 0]);
        bytes.extend(24u16.to_ne_bytes());
        bytes.extend(0x8000u64.to_ne_bytes());
        bytes.extend((-1i32).to_ne_bytes());
        bytes.extend(0i32.to_ne_bytes());
        bytes.extend([INFO_FID, 0]);
        bytes.extend(20u16.to_ne_bytes());
        bytes.extend([7i32, 8, 0, 255].into_iter().flat_map(i32::to_ne_bytes));
        bytes.extend([INFO_ERROR, 0]);
        bytes.extend(12u16.to_ne_bytes());
        bytes.extend(errno.to_ne_bytes());
        bytes.extend(3u32.to_ne_bytes());
        bytes
    }

    #[test]
    fn events_are_read_and_half_of_one_is_none() {
        let expected = |errno| FsError { file_system: [7, 8], errno, count: 3 };
        let two = [event(5), event(117)].concat();
        assert_eq!(events(&two), [expected(5), expected(117)]);
        assert_eq!(events(&two[..100]), [expected(5)]);
        for end in 0..56 {
            assert_eq!(events(&event(5)[..end]), [], "{end}");
        }
    }
}
