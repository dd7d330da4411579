//! Where the journal of an ext3 or ext4 begins, and how far it has come.
//!
//! The super block of a dead file system may lie dirty in the page cache (its list of orphans is
//! journalled), and reading it past the cache first writes it over whatever the disk holds by now:
//! the file system is then always the same. The journal's own super block is written at once and
//! never left dirty (`jbd2_write_superblock`, fs/jbd2/journal.c), so this is compared first.
//! Never reads the journal's transactions.

use alloc::string::String;
use core::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::{big, hexadecimal, little};
use crate::text::Text;

/// How far a journal has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// In hexadecimal: that of the file system when it was made.
    pub uuid: Text,
    /// The number of its first transaction; grows, and begins again after 2^32.
    pub sequence: u32,
    /// Whether there is something in it.
    pub is_in_use: bool,
}

impl Journal {
    /// Whether this cannot be a later state of `known`: that of an older snapshot, or another's.
    pub fn is_before(&self, known: &Journal) -> bool {
        let passed = self.sequence.wrapping_sub(known.sequence) as i32;
        match passed.cmp(&0) {
            _ if self.uuid != known.uuid => true,
            // It has been emptied only together with a higher number.
            Ordering::Equal => known.is_in_use && !self.is_in_use,
            order => order.is_lt(),
        }
    }
}

/// At which byte of the device the journal begins; `None` where it is not in this file system, or
/// its beginning is not found as simply as mke2fs leaves it. `start` as for `read`.
///
/// The super block carries a copy of the journal's list of blocks (`s_jnl_blocks`, fs/ext4/ext4.h),
/// in one of two forms: numbers, or extents (fs/ext4/ext4_extents.h).
pub fn place(start: &[u8]) -> Option<u64> {
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

/// Reads its super block (`struct journal_superblock_s`, include/linux/jbd2.h); `None` where there
/// is none.
pub fn read(block: &[u8]) -> Option<Journal> {
    const MAGIC: u64 = 0xc03b_3998;
    const KINDS: [u64; 2] = [3, 4];
    if big(block, 0, 4)? != MAGIC || !KINDS.contains(&big(block, 4, 4)?) {
        return None;
    }
    let uuid: String = hexadecimal(block.get(48..64)?);
    Some(Journal {
        uuid: Text::from(uuid),
        sequence: big(block, 24, 4)? as u32,
        is_in_use: big(block, 28, 4)? != 0,
    })
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
        assert_eq!(place(&start(0, &numbers)), Some(658 << 10));
        let extents = [0x0001_f30a_u32, 4, 0, 0, 0x1000, 0x4001].map(u32::to_le_bytes).concat();
        assert_eq!(place(&start(0, &extents)), Some(0x4001 << 10));
        assert_eq!(place(&start(2, &extents)), Some(0x4001 << 12));
    }

    #[test]
    fn one_that_lies_elsewhere_or_deeper_is_not_found() {
        let deeper = [0x0001_f30a_u32, 0x1_0004, 0, 0, 0x1000, 0x4001].map(u32::to_le_bytes);
        assert_eq!(place(&start(0, &deeper.concat())), None);
        assert_eq!(place(&start(0, &[0; 60])), None);
        let mut is_not_copied = start(0, &[7; 60]);
        is_not_copied[1024 + 0xfd] = 0;
        assert_eq!(place(&is_not_copied), None);
        assert_eq!(place(&[0; 100]), None);
    }

    #[test]
    fn what_is_no_journal_is_none() {
        assert_eq!(read(&[0; 1024]), None);
        assert_eq!(read(&[0xff; 10]), None);
    }

    #[test]
    fn an_older_one_and_anothers_are_told_from_a_later_one() {
        let journal = |uuid: &str, sequence, is_in_use| Journal {
            uuid: Text::from(uuid),
            sequence,
            is_in_use,
        };
        let known = journal("a", u32::MAX, true);
        for (now, expected) in [
            (journal("a", u32::MAX, true), false),
            (journal("a", 3, false), false),
            (journal("a", u32::MAX, false), true),
            (journal("a", u32::MAX - 1, true), true),
            (journal("b", 3, true), true),
        ] {
            assert_eq!(now.is_before(&known), expected, "{now:?}");
        }
        assert!(!journal("a", 5, true).is_before(&journal("a", 5, false)));
    }
}
