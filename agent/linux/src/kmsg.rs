//! Lines to the kernel log, where an administrator looks after a bad boot.

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::write;

use crate::root::Root;

/// A record takes about 1 KiB (LOG_LINE_MAX, kernel/printk/printk.c).
const MAX_BYTES: usize = 900;

/// Writes each sentence as a line of level info. Opened for each: the kernel rate limits what one
/// open file may write (devkmsg_write).
pub fn say(root: &Root, sentences: &[String]) {
    for sentence in sentences {
        let Ok(log) = root.open(b"dev/kmsg", OFlags::WRONLY | OFlags::NONBLOCK) else { return };
        // A recording has a plain file here; it is not to be written to.
        let is_device = fstat(&log)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice);
        if !is_device {
            return;
        }
        let mut end = sentence.len().min(MAX_BYTES);
        while !sentence.is_char_boundary(end) {
            end -= 1;
        }
        let _ = write(&log, format!("<6>xvdguard-early: {}\n", &sentence[..end]).as_bytes());
    }
}
