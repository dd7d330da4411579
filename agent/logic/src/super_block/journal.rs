//! How far the journal of a file system has come, and where that is written: in the journal's own
//! super block (ext3, ext4), as the generation (btrfs), as the log's last place (xfs).
//!
//! The super block of a dead ext4 may lie dirty in the page cache (its list of orphans is
//! journalled), and reading it past the cache first writes it over whatever the disk holds by now:
//! the file system is then always the same. The journal's own super block is written at once and
//! never left dirty (`jbd2_write_superblock`, fs/jbd2/journal.c), so this is compared first. xfs
//! and btrfs leave nothing dirty there. Never reads the journal's transactions.

use alloc::string::String;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{big, hexadecimal, little};
use crate::text::Text;

/// Where btrfs has its first super block.
const BTRFS_AT: u64 = 65_536;

/// How far a journal has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// In hexadecimal: that of the file system when it was made.
    pub uuid: Text,
    /// Grows: the number of its first transaction, which begins again after 2^32 (ext); of the last
    /// (btrfs); the cycle of the log and the block in it, 32 bits each (xfs).
    pub sequence: u64,
    /// Whether there is something in it.
    pub is_in_use: bool,
}

impl Journal {
    /// Whether this cannot be a later state of `known`: that of an older snapshot, or another's.
    pub fn is_before(&self, known: &Journal) -> bool {
        let order = match (u32::try_from(self.sequence), u32::try_from(known.sequence)) {
            (Ok(now), Ok(known)) => (now.wrapping_sub(known) as i32).cmp(&0),
            _ => self.sequence.cmp(&known.sequence),
        };
        match order {
            _ if self.uuid != known.uuid => true,
            // It has been emptied only together with a higher number.
            Ordering::Equal => known.is_in_use && !self.is_in_use,
            order => order.is_lt(),
        }
    }
}

/// At which byte of the device it is written; `None` where it is not known. `start` as for
/// `super_block::read`.
pub fn place(fstype: &[u8], start: &[u8]) -> Option<u64> {
    match fstype {
        b"xfs" => Some(0),
        b"btrfs" => Some(BTRFS_AT),
        _ => ext_place(start),
    }
}

/// Reads it, where it is written; `None` where there is none.
pub fn read(fstype: &[u8], block: &[u8]) -> Option<Journal> {
    match fstype {
        b"xfs" => xfs(block),
        b"btrfs" => btrfs(block),
        _ => ext(block),
    }
}

/// At which byte of the device the journal begins; `None` where it is not in this file system, or
/// its beginning is not found as simply as mke2fs leaves it.
///
/// The super block carries a copy of the journal's list of blocks (`s_jnl_blocks`, fs/ext4/ext4.h),
/// in one of two forms: numbers, or extents (fs/ext4/ext4_extents.h).
fn ext_place(start: &[u8]) -> Option<u64> {
    const IS_COPIED: u64 = 1;
    const EXTENTS: u64 = 0xf30a;
    let block = start.get(1024..2048)?;
    if little(block, 0x38, 2)? != 0xef53 || little(block, 0xfd, 1)? != IS_COPIED {
        return None;
    }
    let list = block.get(0x10c..0x10c + 60)?;
    let number = if little(list, 0, 2)? != EXTENTS {
        little(list, 0, 4)?
    } else if little(list, 6, 2)? == 0 {
        little(list, 12 + 8, 4)? | little(list, 12 + 6, 2)? << 32
    } else {
        return None;
    };
    let block_bytes = 1024_u64.checked_shl(little(block, 0x18, 4)? as u32)?;
    number.checked_mul(block_bytes).filter(|at| *at > 0)
}

/// `struct journal_superblock_s`, include/linux/jbd2.h.
fn ext(block: &[u8]) -> Option<Journal> {
    const MAGIC: u64 = 0xc03b_3998;
    const KINDS: [u64; 2] = [3, 4];
    if big(block, 0, 4)? != MAGIC || !KINDS.contains(&big(block, 4, 4)?) {
        return None;
    }
    let uuid: String = hexadecimal(block.get(48..64)?);
    Some(Journal {
        uuid: Text::from(uuid),
        sequence: big(block, 24, 4)?,
        is_in_use: big(block, 28, 4)? != 0,
    })
}

/// `sb_lsn` of `struct xfs_dsb` (fs/xfs/libxfs/xfs_format.h), which only version 5 has.
fn xfs(block: &[u8]) -> Option<Journal> {
    const VERSION_MASK: u64 = 0xf;
    if block.get(..4)? != b"XFSB" || big(block, 100, 2)? & VERSION_MASK != 5 {
        return None;
    }
    let uuid = hexadecimal(block.get(32..48)?);
    Some(Journal { uuid: Text::from(uuid), sequence: big(block, 240, 8)?, is_in_use: true })
}

/// `generation` of `struct btrfs_super_block` (include/uapi/linux/btrfs_tree.h).
fn btrfs(block: &[u8]) -> Option<Journal> {
    if block.get(0x40..0x48)? != b"_BHRfS_M" {
        return None;
    }
    let uuid = hexadecimal(block.get(0x20..0x30)?);
    Some(Journal { uuid: Text::from(uuid), sequence: little(block, 0x48, 8)?, is_in_use: true })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn start(log_block: u32, list: &[u8]) -> Vec<u8> {
        let mut start = vec![0; 2048];
        let mut put = |at: usize, bytes: &[u8]| {
            start[1024 + at..1024 + at + bytes.len()].copy_from_slice(bytes);
        };
        put(0x18, &log_block.to_le_bytes());
        put(0x38, &0xef53_u16.to_le_bytes());
        put(0xfd, &[1]);
        put(0x10c, list);
        start
    }

    // As mke2fs 1.47.0 makes them, with 32 MiB: `debugfs -R 'stat <8>'` names the same blocks.
    #[test]
    fn a_journal_is_found_by_numbers_and_by_extents() {
        let numbers = [658_u32, 659, 660].map(u32::to_le_bytes).concat();
        assert_eq!(place(b"ext4", &start(0, &numbers)), Some(658 << 10));
        let extents = [0x0001_f30a_u32, 4, 0, 0, 0x1000, 0x4001].map(u32::to_le_bytes).concat();
        assert_eq!(place(b"ext4", &start(0, &extents)), Some(0x4001 << 10));
        assert_eq!(place(b"ext4", &start(2, &extents)), Some(0x4001 << 12));
    }

    #[test]
    fn one_that_lies_elsewhere_or_deeper_is_not_found() {
        let deeper = [0x0001_f30a_u32, 0x1_0004, 0, 0, 0x1000, 0x4001].map(u32::to_le_bytes);
        assert_eq!(place(b"ext4", &start(0, &deeper.concat())), None);
        assert_eq!(place(b"ext4", &start(0, &[0; 60])), None);
        let mut is_not_copied = start(0, &[7; 60]);
        is_not_copied[1024 + 0xfd] = 0;
        assert_eq!(place(b"ext4", &is_not_copied), None);
        assert_eq!(place(b"ext4", &[0; 100]), None);
    }

    #[test]
    fn what_is_no_journal_is_none() {
        for fstype in [&b"ext4"[..], b"xfs", b"btrfs"] {
            assert_eq!(read(fstype, &[0; 1024]), None);
            assert_eq!(read(fstype, &[0xff; 10]), None);
        }
    }

    #[test]
    fn an_older_one_and_anothers_are_told_from_a_later_one() {
        let journal = |uuid: &str, sequence, is_in_use| Journal {
            uuid: Text::from(uuid),
            sequence,
            is_in_use,
        };
        let last = u64::from(u32::MAX);
        let known = journal("a", last, true);
        for (now, expected) in [
            (journal("a", last, true), false),
            (journal("a", 3, false), false),
            (journal("a", last, false), true),
            (journal("a", last - 1, true), true),
            (journal("b", 3, true), true),
        ] {
            assert_eq!(now.is_before(&known), expected, "{now:?}");
        }
        // A log's cycle and block.
        assert!(journal("a", 7 << 32 | 9, true).is_before(&journal("a", 8 << 32, true)));
        assert!(!journal("a", 8 << 32 | 1, true).is_before(&journal("a", 8 << 32, true)));
        assert!(!journal("a", 5, true).is_before(&journal("a", 5, false)));
    }
}
