//! umount(2), plainly: never lazy, never forced. A volume that is busy stays.

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount as umount};
use xvdguard_logic::recovery::effects::{FailureKind, Outcome, Target};
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, place, refusal, users};
use crate::clock;
use crate::error::Error;
use crate::root::Root;

/// Who opens a file for a moment, as a shell script does, is not in the way for long.
const PATIENCE: Duration = Duration::from_secs(5);
const AGAIN: Duration = Duration::from_millis(50);

/// Takes the mount away.
pub fn unmount(root: &Root, target: &Target) -> Result<Outcome, Refusal> {
    let mounts = place::mounts(root)?;
    if place::mounted(&mounts, target).is_none() {
        let is_anywhere = mounts.iter().any(|mount| place::is_meant(mount, target));
        let other = mounts.iter().any(|mount| mount.mount_point == target.mount_point);
        return match (is_anywhere, other) {
            (false, false) => Ok(Outcome::AlreadySo),
            _ => Err(refusal(FailureKind::Gone, wording::mounted_otherwise(&target.mount_point))),
        };
    }
    let until = Instant::now() + PATIENCE;
    loop {
        match umount(target.mount_point.as_bytes(), UnmountFlags::NOFOLLOW) {
            Ok(()) => return Ok(Outcome::Done),
            Err(Errno::BUSY) if Instant::now() < until => clock::pause(AGAIN),
            Err(errno) => return Err(why(root, target, errno)),
        }
    }
}

/// With whoever holds it, where that can be found out.
fn why(root: &Root, target: &Target, errno: Errno) -> Refusal {
    let error = Error::system("unmount", target.mount_point.clone(), errno);
    if errno != Errno::BUSY {
        return refusal(FailureKind::Other, error);
    }
    let users = users::list(root, target).unwrap_or_default();
    let names = users.units.iter().map(ToString::to_string).chain(users.others);
    let names: Vec<String> = names.collect();
    refusal(FailureKind::Busy, wording::held_by(&error.to_string(), &names))
}
