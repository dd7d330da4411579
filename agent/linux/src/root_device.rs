//! The root file system before it is mounted: which disks it lies on, and whether it is ext3/ext4.
//!
//! Only needed where `barrier=0` is the lever. Reads one super block, in a child.

use std::time::Instant;

use rustix::fs::{FileType, OFlags, major, minor};
use rustix::io::pread;
use xvdguard_logic::block::{BlockTree, DeviceNumber};
use xvdguard_logic::decide_boot::RootDevice;
use xvdguard_logic::text::Text;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::root::Root;

/// Finds what `root=` names. `UUID=` and its like go through the links that udev made.
pub fn find(root: &Root, word: &Text, tree: &BlockTree, deadline: Instant) -> Result<RootDevice> {
    let path = node(word).ok_or_else(|| {
        let why = "this form of root= is not understood; barrier=0 is not added";
        Error::content("find root by", word.clone(), why)
    })?;
    let stat = root.stat(&path)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::BlockDevice {
        return Err(Error::content("use as root", root.shown(&path), "no block device"));
    }
    let number = DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) };
    let device = tree.by_number(number).ok_or_else(|| {
        Error::content("find", root.shown(&path), format!("{number} is not in /sys/block"))
    })?;
    let task: Task<'_> = Box::new(|| vec![u8::from(is_ext3_or_ext4(root, &path))]);
    let answer = child::run(task, deadline)?;
    let is_ext3_or_ext4 = answer == Ending::Answered(vec![1]);
    Ok(RootDevice { disks: tree.bottom(&device.name), is_ext3_or_ext4 })
}

/// The node in `/dev` that a `root=` word stands for (the forms of initramfs-tools(7), dracut).
fn node(word: &Text) -> Option<Vec<u8>> {
    let word = word.as_bytes();
    let word = word.strip_prefix(b"block:").unwrap_or(word);
    for (tag, folder) in [
        (&b"UUID="[..], "by-uuid"),
        (b"LABEL=", "by-label"),
        (b"PARTUUID=", "by-partuuid"),
        (b"PARTLABEL=", "by-partlabel"),
    ] {
        if let Some(value) = word.strip_prefix(tag) {
            return Some([format!("dev/disk/{folder}/").as_bytes(), value].concat());
        }
    }
    let name = word.strip_prefix(b"/")?;
    name.starts_with(b"dev/").then(|| name.to_vec())
}

/// The magic number at byte 1080 and the journal bit of the compatible features (fs/ext4/ext4.h).
fn is_ext3_or_ext4(root: &Root, path: &[u8]) -> bool {
    const MAGIC: [u8; 2] = 0xef53_u16.to_le_bytes();
    const HAS_JOURNAL: u8 = 0x4;
    let Ok(root) = root.reopen() else { return false };
    let Ok(file) = root.open(path, OFlags::RDONLY) else { return false };
    let mut block = [0; 1024];
    let read = pread(&file, &mut block, 1024);
    read == Ok(1024) && block[0x38..0x3a] == MAGIC && block[0x5c] & HAS_JOURNAL != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_words_name_a_node() {
        for (word, expected) in [
            ("/dev/xvda2", Some("dev/xvda2")),
            ("/dev/mapper/vg0-root", Some("dev/mapper/vg0-root")),
            ("UUID=12-ab", Some("dev/disk/by-uuid/12-ab")),
            ("block:LABEL=root", Some("dev/disk/by-label/root")),
            ("PARTUUID=1", Some("dev/disk/by-partuuid/1")),
            ("nfs:server:/x", None),
            ("ZFS=pool", None),
        ] {
            let node = node(&Text::from(word));
            assert_eq!(node.as_deref(), expected.map(str::as_bytes), "{word}");
        }
    }
}
