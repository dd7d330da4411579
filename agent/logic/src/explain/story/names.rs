//! Which names are one thing: partitions and their disk, dm devices and what they lie on.
//!
//! Proven by the kernel's line about a partition table (block/partitions/core.c: ` xvda: xvda1
//! xvda2`, ` loop0: p1 p2`) or by sysfs; never by the look of a name.

use alloc::vec::Vec;

use crate::block::BlockTree;
use crate::text::Text;

/// What is known about names.
#[derive(Debug, Default)]
pub struct Names {
    tree: BlockTree,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    host: usize,
    name: Text,
    disk: Text,
}

/// Names of disks are shorter (DISK_NAME_LEN of include/linux/blkdev.h).
const NAME_BYTES: usize = 32;

/// Partitions that are remembered, of all disks and hosts.
const MOST: usize = 512;

impl Names {
    /// With what sysfs proves.
    pub fn new(tree: BlockTree) -> Names {
        Names { tree, parts: Vec::new() }
    }

    /// The disk below `name`, or `name` itself where nothing is proven, or where there are several.
    pub fn disk(&self, host: usize, name: &[u8]) -> Text {
        let part = self.parts.iter().find(|part| part.host == host && part.name.as_bytes() == name);
        let name = part.map_or_else(|| Text::from(name), |part| part.disk.clone());
        match &self.tree.bottom(&name)[..] {
            [one] => one.clone(),
            _ => name,
        }
    }

    /// Takes a line of the kernel if it is about a partition table.
    pub fn take(&mut self, host: usize, line: &[u8]) {
        if !matches!(line.last(), Some(b'0'..=b'9' | b'>' | b' ')) {
            return;
        }
        let line = if let [b' ', rest @ ..] = line { rest } else { line };
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_!-".contains(byte);
        let end = line.iter().take(NAME_BYTES).position(|byte| !is_name(byte));
        let Some(colon) = end.filter(|end| line[*end] == b':') else { return };
        let (disk, list) = (&line[..colon], &line[colon + 1..]);
        let is_list = !disk.is_empty() && list.starts_with(b" ") && self.parts.len() < MOST;
        if is_list && list.split(|byte| *byte == b' ').skip(1).all(|part| is_part(disk, part)) {
            list.split(|byte| *byte == b' ').for_each(|part| self.learn(host, disk, part));
        }
    }

    fn learn(&mut self, host: usize, disk: &[u8], part: &[u8]) {
        if part.is_empty() || part == b"<" || part == b">" || self.parts.len() >= MOST {
            return;
        }
        let name = if part.starts_with(b"p") && !part.starts_with(disk) {
            Text::from([disk, part].concat())
        } else {
            Text::from(part)
        };
        if !self.parts.iter().any(|known| known.host == host && known.name == name) {
            self.parts.push(Part { host, name, disk: Text::from(disk) });
        }
    }
}

/// `xvda1` of `xvda`, `p1` of `loop0`; `<` and `>` stand around logical partitions.
fn is_part(disk: &[u8], part: &[u8]) -> bool {
    let number = part.strip_prefix(disk).or_else(|| part.strip_prefix(b"p"));
    let is_number = |number: &[u8]| !number.is_empty() && number.iter().all(u8::is_ascii_digit);
    matches!(part, b"<" | b">" | b"") || number.is_some_and(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::{BlockDevice, DeviceNumber};

    fn disk(names: &Names, name: &str) -> Text {
        names.disk(0, name.as_bytes())
    }

    #[test]
    fn the_kernels_lines_about_partitions_are_proof() {
        let mut names = Names::default();
        assert_eq!(disk(&names, "xvda2"), Text::from("xvda2"));
        names.take(0, b" xvda: xvda1 xvda2 < xvda5 xvda6 >");
        names.take(0, b"loop0: p1 p2");
        names.take(1, b" xvdb: xvdb1");
        for (name, expected) in [
            ("xvda2", "xvda"),
            ("xvda6", "xvda"),
            ("loop0p1", "loop0"),
            ("xvda3", "xvda3"),
            // Another host's disk.
            ("xvdb1", "xvdb1"),
        ] {
            assert_eq!(disk(&names, name), Text::from(expected), "{name}");
        }
    }

    #[test]
    fn other_lines_with_a_colon_are_none() {
        let mut names = Names::default();
        for line in [
            " xvda: unknown partition table",
            " xvda: xvdb1",
            " xvda:xvda1",
            " : 1",
            "EXT4-fs (xvda1): xvda2",
            "sd 0:0:0:1: x",
        ] {
            names.take(0, line.as_bytes());
        }
        assert!(names.parts.is_empty(), "{names:?}");
    }

    #[test]
    fn sysfs_is_proof_where_one_disk_is_below() {
        let device = |name: &str, minor, below: &[&str]| BlockDevice {
            name: name.into(),
            number: DeviceNumber { major: 1, minor },
            below: below.iter().map(|name| Text::from(*name)).collect(),
            mapper_name: None,
        };
        let tree = [
            device("xvda", 0, &[]),
            device("xvdb", 1, &[]),
            device("dm-0", 2, &["xvda"]),
            device("dm-1", 3, &["xvda", "xvdb"]),
        ];
        let names = Names::new(tree.into_iter().collect());
        for (name, expected) in [("dm-0", "xvda"), ("dm-1", "dm-1"), ("dm-7", "dm-7")] {
            assert_eq!(disk(&names, name), Text::from(expected));
        }
    }
}
