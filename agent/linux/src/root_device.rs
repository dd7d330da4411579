//! The root file system before it is mounted: which disks it lies on, whether it is ext3 or ext4,
//! and whether it notes errors.
//!
//! Reads one super block, in a child. Never writes.

use std::time::Instant;

use rustix::fs::OFlags;
use rustix::io::pread;
use xvdguard_logic::block::BlockTree;
use xvdguard_logic::decide_boot::RootDevice;
use xvdguard_logic::text::Text;

use crate::child::{self, Ending, Task};
use crate::error::Result;
use crate::root::Root;
use crate::source;

/// Finds what `root=` names, and reads its super block.
pub fn find(root: &Root, word: &Text, tree: &BlockTree, deadline: Instant) -> Result<RootDevice> {
    let found = source::find_root(root, word, tree)?;
    let path = found.node.as_bytes();
    let task: Task<'_> = Box::new(|| vec![kind(root, path)]);
    let kind = match child::run(task, deadline)? {
        Ending::Answered(answer) => answer.first().copied().unwrap_or_default(),
        _ => 0,
    };
    Ok(RootDevice {
        disks: found.disks,
        is_ext3_or_ext4: kind & EXT3_OR_EXT4 != 0,
        has_errors: kind & ERRORS != 0,
    })
}

/// Bits of what the child answers.
const EXT3_OR_EXT4: u8 = 1;
const ERRORS: u8 = 2;

/// The magic number at byte 1080, the journal bit of the compatible features, the error bit of
/// `s_state` (fs/ext4/ext4.h).
fn kind(root: &Root, path: &[u8]) -> u8 {
    const MAGIC: [u8; 2] = 0xef53_u16.to_le_bytes();
    const HAS_JOURNAL: u8 = 0x4;
    const ERROR_FS: u8 = 0x2;
    let Ok(root) = root.reopen() else { return 0 };
    let Ok(file) = root.open(path, OFlags::RDONLY) else { return 0 };
    let mut block = [0; 1024];
    let read = pread(&file, &mut block, 1024);
    let is_ext = read == Ok(1024) && block[0x38..0x3a] == MAGIC;
    let bit = |is_set: bool, bit| if is_ext && is_set { bit } else { 0 };
    bit(block[0x5c] & HAS_JOURNAL != 0, EXT3_OR_EXT4) | bit(block[0x3a] & ERROR_FS != 0, ERRORS)
}
