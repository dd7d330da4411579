//! What a super block is known by: from the first 68 KiB of a device, without mounting it.
//!
//! Only ext2 to ext4, xfs and btrfs; of any other file system nothing is known, so it is never
//! proven to be the same. Layouts: fs/ext4/ext4.h, fs/xfs/libxfs/xfs_format.h,
//! include/uapi/linux/btrfs_tree.h.

pub mod journal;

use alloc::format;
use alloc::string::String;

/// So many bytes of the beginning hold every super block that is known here.
pub const BYTES: usize = 68 * 1024;

/// What is known of a file system by its super block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuperBlock {
    /// In hexadecimal.
    pub uuid: String,
    /// What changes with each mount, where there is such a thing.
    pub mount: Option<String>,
    /// Whether it may be mounted by several machines (`mmp` of ext4).
    pub is_shared: bool,
    /// Whether errors are noted in it (`s_state` of ext).
    pub has_errors: bool,
    /// How many bytes of the device it takes.
    pub size_bytes: u64,
}

/// Whether two words of `mount` tell of the same mount. A check that was forced sets the count of
/// ext3 and ext4 to nought (e2fsck/unix.c) and leaves the time.
pub fn is_same_mount(known: &[u8], now: &[u8]) -> bool {
    let time = |word: &[u8]| word.iter().position(|byte| *byte == b' ');
    let is_counted_anew = now.ends_with(b" 0") && time(known).is_some();
    let is_same_time = time(known).map(|at| &known[..at]) == time(now).map(|at| &now[..at]);
    known == now || (is_counted_anew && is_same_time)
}

/// Reads the super block of that type; `None` where there is none.
pub fn read(fstype: &[u8], start: &[u8]) -> Option<SuperBlock> {
    match fstype {
        b"ext2" | b"ext3" | b"ext4" => ext(start.get(1024..2048)?),
        b"xfs" => xfs(start.get(..512)?),
        b"btrfs" => btrfs(start.get(65_536..66_560)?),
        _ => None,
    }
}

fn ext(block: &[u8]) -> Option<SuperBlock> {
    const ERROR_FS: u64 = 2;
    const INCOMPAT_64BIT: u64 = 0x80;
    const INCOMPAT_MMP: u64 = 0x100;
    if little(block, 0x38, 2)? != 0xef53 {
        return None;
    }
    let incompatible = little(block, 0x60, 4)?;
    let high = if incompatible & INCOMPAT_64BIT > 0 { little(block, 0x150, 4)? } else { 0 };
    let blocks = little(block, 0x4, 4)? | high << 32;
    let (time, count) = (little(block, 0x2c, 4)?, little(block, 0x34, 2)?);
    Some(SuperBlock {
        uuid: hexadecimal(block.get(0x68..0x78)?),
        mount: Some(format!("{time} {count}")),
        is_shared: incompatible & INCOMPAT_MMP > 0,
        has_errors: little(block, 0x3a, 2)? & ERROR_FS > 0,
        size_bytes: blocks.checked_mul(1024_u64.checked_shl(little(block, 0x18, 4)? as u32)?)?,
    })
}

fn xfs(block: &[u8]) -> Option<SuperBlock> {
    if block.get(..4)? != b"XFSB" {
        return None;
    }
    Some(SuperBlock {
        uuid: hexadecimal(block.get(32..48)?),
        size_bytes: big(block, 8, 8)?.checked_mul(big(block, 4, 4)?)?,
        ..SuperBlock::default()
    })
}

fn btrfs(block: &[u8]) -> Option<SuperBlock> {
    if block.get(0x40..0x48)? != b"_BHRfS_M" {
        return None;
    }
    Some(SuperBlock {
        uuid: hexadecimal(block.get(0x20..0x30)?),
        // dev_item.total_bytes: of this device alone.
        size_bytes: little(block, 0xc9 + 8, 8)?,
        ..SuperBlock::default()
    })
}

fn little(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let digits = bytes.get(at..at + count)?.iter().rev();
    Some(digits.fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn big(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let digits = bytes.get(at..at + count)?.iter();
    Some(digits.fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn what_is_no_super_block_is_none() {
        for fstype in ["ext4", "xfs", "btrfs", "vfat"] {
            for bytes in [&[][..], &[0; 100], &[0xff; BYTES], &[0; BYTES]] {
                assert_eq!(read(fstype.as_bytes(), bytes), None, "{fstype}");
            }
        }
    }

    #[test]
    fn a_forced_check_leaves_the_mount_the_same_and_another_mount_does_not() {
        for (now, expected) in
            [("17 3", true), ("17 0", true), ("17 4", false), ("18 0", false), ("", false)]
        {
            assert_eq!(is_same_mount(b"17 3", now.as_bytes()), expected, "{now}");
        }
    }

    #[test]
    fn an_ext4_is_known_by_uuid_and_its_last_mount() {
        let mut start = vec![0; BYTES];
        let mut put = |at: usize, bytes: &[u8]| {
            start[1024 + at..1024 + at + bytes.len()].copy_from_slice(bytes);
        };
        put(0x4, &65536u32.to_le_bytes());
        put(0x18, &0u32.to_le_bytes());
        put(0x2c, &1_700_000_000u32.to_le_bytes());
        put(0x34, &7u16.to_le_bytes());
        put(0x38, &0xef53u16.to_le_bytes());
        put(0x3a, &3u16.to_le_bytes());
        put(0x60, &0x102u32.to_le_bytes());
        put(0x68, &[0xab; 16]);
        let block = read(b"ext4", &start).unwrap();
        assert_eq!(block.uuid, "ab".repeat(16));
        assert_eq!(block.mount.as_deref(), Some("1700000000 7"));
        assert_eq!((block.is_shared, block.has_errors, block.size_bytes), (true, true, 64 << 20));
    }
}
