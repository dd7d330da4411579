//! The tree of block devices: partitions on disks, LVM, dm-crypt, md and bcache on both.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::order;
use crate::text::Text;

/// `major:minor`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DeviceNumber {
    /// The driver.
    pub major: u32,
    /// The device of that driver.
    pub minor: u32,
}

impl DeviceNumber {
    /// Reads `202:1`.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (major, minor) = core::str::from_utf8(text).ok()?.trim().split_once(':')?;
        Some(DeviceNumber { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}", self.major, self.minor)
    }
}

/// One block device of sysfs, with what it directly lies on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDevice {
    /// The kernel's name (`xvda1`, `dm-0`, `md127`, `bcache0`).
    pub name: Text,
    /// Its number.
    pub number: DeviceNumber,
    /// Names of the devices directly below: the disk of a partition, the `slaves/` of the others.
    pub below: Vec<Text>,
    /// `dm/name`: what the administrator calls a dm device.
    pub mapper_name: Option<Text>,
}

/// All block devices by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockTree {
    devices: BTreeMap<Text, BlockDevice>,
    names: BTreeMap<DeviceNumber, Text>,
}

impl FromIterator<BlockDevice> for BlockTree {
    fn from_iter<I: IntoIterator<Item = BlockDevice>>(all: I) -> Self {
        let devices: BTreeMap<_, _> =
            order::gather(all.into_iter().map(|one| (one.name.clone(), one)));
        let names = order::gather(devices.values().map(|one| (one.number, one.name.clone())));
        BlockTree { devices, names }
    }
}

impl BlockTree {
    /// The device of that number.
    pub fn by_number(&self, number: DeviceNumber) -> Option<&BlockDevice> {
        self.devices.get(self.names.get(&number)?)
    }

    /// The device of that name.
    pub fn by_name(&self, name: &Text) -> Option<&BlockDevice> {
        self.devices.get(name)
    }

    /// The names of all devices, in order.
    pub fn names(&self) -> impl Iterator<Item = &Text> {
        self.devices.keys()
    }

    /// The dm device that the administrator calls `name`.
    pub fn by_mapper_name(&self, name: &Text) -> Option<&BlockDevice> {
        self.devices.values().find(|device| device.mapper_name.as_ref() == Some(name))
    }

    /// The devices at the very bottom below `name` (itself, where nothing is below), each once,
    /// in the order of their names. A device that is not in the tree is its own bottom; a loop in
    /// the tree, which sysfs should never show, ends the walk there.
    pub fn bottom(&self, name: &Text) -> Vec<Text> {
        let mut seen = Vec::from([name.clone()]);
        let mut found = Vec::new();
        let mut next = 0;
        while let Some(current) = seen.get(next).cloned() {
            next += 1;
            let below = self.devices.get(&current).map_or(&[][..], |device| &device.below);
            if below.is_empty() {
                found.push(current);
            }
            for lower in below {
                if !seen.contains(lower) {
                    seen.push(lower.clone());
                }
            }
        }
        order::sort(&mut found);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(devices: &[(&str, &[&str])]) -> BlockTree {
        let numbered = devices.iter().enumerate();
        numbered
            .map(|(minor, (name, below))| BlockDevice {
                name: Text::from(*name),
                number: DeviceNumber { major: 1, minor: minor as u32 },
                below: below.iter().map(|name| Text::from(*name)).collect(),
                mapper_name: None,
            })
            .collect()
    }

    fn bottom(tree: &BlockTree, name: &str) -> Vec<Text> {
        tree.bottom(&Text::from(name))
    }

    #[test]
    fn a_volume_leads_to_its_disks_through_every_layer() {
        let tree = tree(&[
            ("xvda", &[]),
            ("xvda1", &["xvda"]),
            ("xvdb", &[]),
            ("xvdc", &[]),
            ("md0", &["xvdb", "xvdc"]),
            ("dm-0", &["md0", "xvda1"]),
            ("dm-1", &["dm-0"]),
            ("bcache0", &["dm-1", "xvdc"]),
        ]);
        let disks: Vec<Text> = ["xvda", "xvdb", "xvdc"].map(Text::from).into();
        assert_eq!(bottom(&tree, "bcache0"), disks);
        assert_eq!(bottom(&tree, "xvda1"), [Text::from("xvda")]);
        assert_eq!(bottom(&tree, "xvdb"), [Text::from("xvdb")]);
        assert_eq!(bottom(&tree, "unknown"), [Text::from("unknown")]);
    }

    #[test]
    fn a_circle_ends() {
        let tree = tree(&[("dm-0", &["dm-1"]), ("dm-1", &["dm-0"])]);
        assert_eq!(bottom(&tree, "dm-0"), [] as [Text; 0]);
    }
}
