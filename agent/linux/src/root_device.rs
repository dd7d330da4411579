//! The root file system before it is mounted: which disks it lies on, and whether it is ext3/ext4.
//!
//! Only needed where `barrier=0` is the lever. Reads one super block, in a child.

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
    let task: Task<'_> = Box::new(|| vec![u8::from(is_ext3_or_ext4(root, path))]);
    let answer = child::run(task, deadline)?;
    let is_ext3_or_ext4 = answer == Ending::Answered(vec![1]);
    Ok(RootDevice { disks: found.disks, is_ext3_or_ext4 })
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
