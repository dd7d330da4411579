//! Lines to the kernel log, where an administrator looks after a bad boot.

use rustix::fs::{FileType, OFlags, fstat};
use rustix::io::write;

use crate::root::Root;

/// A record takes about 1 KiB (LOG_LINE_MAX, kernel/printk/printk.c).
const MAX_BYTES: usize = 900;

/// Writes each sentence of early boot as a line of level info.
pub fn say(root: &Root, sentences: &[String]) {
    sentences.iter().for_each(|sentence| put(root, "<6>xvdguard-early", sentence));
}

/// Writes a sentence of the daemon as a line of level warning.
pub fn warn(root: &Root, sentence: &str) {
    put(root, "<4>xvdguard", sentence);
}

/// Opened for each line: the kernel rate limits what one open file may write (devkmsg_write).
fn put(root: &Root, head: &str, sentence: &str) {
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
    let _ = write(&log, format!("{head}: {}\n", &sentence[..end]).as_bytes());
}
