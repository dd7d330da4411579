//! Checking a file system that nobody has mounted. Never killed: half a check may be worse than
//! none.
//!
//! A check goes on when the daemon is killed. It holds a lock, and the daemon that comes next
//! waits for it and checks once more, which then takes no time. xfs and btrfs check themselves
//! when they are mounted.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use rustix::io::{Errno, FdFlags, fcntl_setfd};
use xvdguard_logic::recovery::effects::{FailureKind, Identity, Outcome, Target};
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, disk, free, place, program, refusal};
use crate::error::Error;
use crate::root::Root;

/// Checks it, and repairs what is safe without a person.
pub fn run(root: &Root, target: &Target, known: &Identity) -> Result<Outcome, Refusal> {
    if matches!(target.fstype.as_bytes(), b"xfs" | b"btrfs") {
        return Ok(Outcome::AlreadySo);
    }
    let _lock = lock(root, target)?;
    disk::verify(root, target, known)?;
    free::check(root, target)?;
    let node = root.shown(&place::node(root, &target.device_name, target.device)?);
    let ran = program::run("e2fsck", &[b"-p", node.as_bytes()])
        .map_err(|error| refusal(FailureKind::Other, error))?;
    match meaning(ran.code) {
        None => Ok(Outcome::Done),
        Some(kind) => Err(refusal(kind, wording::fsck_said(&node, ran.code, &ran.last_line))),
    }
}

/// The exit code of e2fsck(8), whose bits add up. Of what stands together, what a person must
/// do comes first.
fn meaning(code: i32) -> Option<FailureKind> {
    const CORRECTED: i32 = 1;
    const LEFT: i32 = 4;
    const OPERATION: i32 = 8;
    match code {
        0 | CORRECTED => None,
        _ if code >= 128 => Some(FailureKind::Other),
        _ if code & LEFT > 0 => Some(FailureKind::NeedsPerson),
        _ if code & OPERATION > 0 => Some(FailureKind::Storage),
        _ => Some(FailureKind::Other),
    }
}

/// The lock of this device. The program that checks inherits it, and the kernel lets it go when
/// the last of them has ended.
fn lock(root: &Root, target: &Target) -> Result<OwnedFd, Refusal> {
    let path = [b"run/xvdguard/fsck-", target.device_name.as_bytes()].concat();
    let failed =
        |errno: Errno| refusal(FailureKind::Other, Error::system("lock", root.shown(&path), errno));
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW;
    let file = root.open_with_mode(&path, flags, Mode::RUSR | Mode::WUSR).map_err(failed)?;
    while let Err(errno) = flock(file.as_fd(), FlockOperation::LockExclusive) {
        if errno != Errno::INTR {
            return Err(failed(errno));
        }
    }
    fcntl_setfd(&file, FdFlags::empty()).map_err(failed)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_read_as_their_manual_page_says() {
        for (code, expected) in [
            (0, None),
            (1, None),
            (2, Some(FailureKind::Other)),
            (3, Some(FailureKind::Other)),
            (4, Some(FailureKind::NeedsPerson)),
            (5, Some(FailureKind::NeedsPerson)),
            (8, Some(FailureKind::Storage)),
            (9, Some(FailureKind::Storage)),
            (12, Some(FailureKind::NeedsPerson)),
            (32, Some(FailureKind::Other)),
            (137, Some(FailureKind::Other)),
        ] {
            assert_eq!(meaning(code), expected, "{code}");
        }
    }
}
