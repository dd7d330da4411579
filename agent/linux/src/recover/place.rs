//! Where a volume is: its node in `/dev`, its mount, and whether both are still what was meant.

use rustix::fs::{FileType, major, minor};
use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::mountinfo::{self, Mount};
use xvdguard_logic::recovery::effects::{FailureKind, Target};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, refusal};
use crate::root::Root;

/// The path of the node of a block device, once it is proven to be that device's.
pub fn node(root: &Root, name: &Text, device: DeviceNumber) -> Result<Vec<u8>, Refusal> {
    let name = name.as_bytes().split(|byte| *byte == b'!').collect::<Vec<_>>().join(&b'/');
    let path = [b"dev/", &name[..]].concat();
    let shown = root.shown(&path);
    let stat = root.stat(&path).map_err(|error| refusal(FailureKind::Gone, error))?;
    let number = DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) };
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice || number != device {
        return Err(refusal(FailureKind::Different, wording::other_node(&shown, device)));
    }
    Ok(path)
}

/// Everything that is mounted.
pub fn mounts(root: &Root) -> Result<Vec<Mount>, Refusal> {
    let content = root.read(b"proc/self/mountinfo");
    let content = content.map_err(|error| refusal(FailureKind::Other, error))?;
    Ok(mountinfo::parse(&content).0)
}

/// The mount that is meant, if it is the uppermost at its place.
pub fn mounted(mounts: &[Mount], target: &Target) -> Option<Mount> {
    let here = mounts.iter().rfind(|mount| mount.mount_point == target.mount_point)?;
    is_meant(here, target).then(|| here.clone())
}

/// The number of btrfs is an anonymous one, of no device.
pub fn is_meant(mount: &Mount, target: &Target) -> bool {
    let is_same = mount.device == target.device || mount.device.major == 0;
    is_same && mount.fstype == target.fstype && mount.id == target.mount_id
}

/// Whether a path is the mount point or lies below it.
pub fn is_below(path: &[u8], mount_point: &Text) -> bool {
    let rest = path.strip_prefix(mount_point.as_bytes());
    rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || mount_point == "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn below_is_a_matter_of_whole_names() {
        let at = Text::from("/srv");
        assert!(is_below(b"/srv", &at) && is_below(b"/srv/a", &at));
        assert!(!is_below(b"/srv2", &at) && !is_below(b"/", &at) && !is_below(b"", &at));
    }
}
