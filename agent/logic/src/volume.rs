//! A volume: a mounted file system with the disks below it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::block::{BlockDevice, BlockTree, DeviceNumber};
use crate::mountinfo::Mount;
use crate::text::Text;

/// A mounted file system on block devices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Where it was mounted first.
    pub mount_point: Text,
    /// `ext3`, `xfs`, …
    pub fstype: Text,
    /// The block device that carries it.
    pub device: DeviceNumber,
    /// That device's name.
    pub device_name: Text,
    /// Names of the disks at the bottom.
    pub disks: Vec<Text>,
}

/// Brings mounts and block devices together: one volume for each super block that lies on a block
/// device. What has no block device (tmpfs, proc, network) is no volume of ours.
pub fn volumes(mounts: &[Mount], tree: &BlockTree) -> Vec<Volume> {
    let mut found: Vec<Volume> = Vec::new();
    let mut known = BTreeSet::new();
    for mount in mounts {
        let Some(device) = carrier(mount, tree) else { continue };
        if known.insert(device.number) {
            found.push(Volume {
                mount_point: mount.mount_point.clone(),
                fstype: mount.fstype.clone(),
                device: device.number,
                device_name: device.name.clone(),
                disks: tree.bottom(&device.name),
            });
        }
    }
    found
}

/// btrfs shows an anonymous device (major 0), but its source names one of its real ones.
fn carrier<'a>(mount: &Mount, tree: &'a BlockTree) -> Option<&'a BlockDevice> {
    let named = || {
        let source = mount.source.as_bytes();
        let mapped = source.strip_prefix(b"/dev/mapper/").map(Text::from);
        let plain = source.strip_prefix(b"/dev/").map(Text::from);
        mapped.and_then(|name| tree.by_mapper_name(&name)).or(tree.by_name(&plain?))
    };
    let is_btrfs = mount.device.major == 0 && mount.fstype == "btrfs";
    tree.by_number(mount.device).or_else(|| named().filter(|_| is_btrfs))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mountinfo;

    fn tree() -> BlockTree {
        let device = |name: &str, minor, below: &[&str]| BlockDevice {
            name: Text::from(name),
            number: DeviceNumber { major: 202, minor },
            below: below.iter().map(|name| Text::from(*name)).collect(),
            mapper_name: None,
        };
        [device("xvda", 0, &[]), device("xvda1", 1, &["xvda"]), device("xvdb", 16, &[])]
            .into_iter()
            .collect()
    }

    #[test]
    fn each_super_block_is_one_volume_with_its_disks() {
        let text = b"1 0 202:1 / / rw - ext4 /dev/xvda1 rw\n\
            2 1 202:1 /var/x /srv/bind rw - ext4 /dev/xvda1 rw\n\
            3 1 0:22 / /proc rw - proc proc rw\n\
            4 1 0:45 /@home /home rw - btrfs /dev/xvdb rw\n\
            5 1 0:46 / /tmp rw - tmpfs tmpfs rw\n";
        let (mounts, _) = mountinfo::parse(text);
        let volumes = volumes(&mounts, &tree());
        let shown: Vec<_> = volumes.iter().map(|v| (&v.mount_point, &v.disks[..])).collect();
        assert_eq!(
            shown,
            [(&Text::from("/"), &[Text::from("xvda")][..]), (&"/home".into(), &["xvdb".into()])]
        );
    }
}
