//! The log of the kernel that this runs on, from a moment on.
//!
//! dmesg(1) would also show what was said about an earlier loop device of the same name. Follows
//! `/dev/kmsg` (Documentation/ABI/testing/dev-kmsg); never writes to it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use harness::failure::{Result, Tried};
use rustix::fs::OFlags;
use rustix::io::Errno;

/// Where the log is.
const KMSG: &str = "/dev/kmsg";
/// More than any record has.
const RECORD_BYTES: usize = 16 * 1024;

/// The log from the moment on at which this was made.
#[derive(Debug)]
pub struct KernelLog {
    device: File,
}

impl KernelLog {
    /// Begins after the last record that is there.
    pub fn from_now() -> Result<KernelLog> {
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(OFlags::NONBLOCK.bits() as i32);
        let mut device = options.open(KMSG).tried(format_args!("open {KMSG}"))?;
        device.seek(SeekFrom::End(0)).tried(format_args!("seek in {KMSG}"))?;
        Ok(KernelLog { device })
    }

    /// The new lines that hold all of the words.
    pub fn lines_about(&mut self, words: &[&str]) -> Result<String> {
        let mut lines = String::new();
        let mut record = vec![0; RECORD_BYTES];
        loop {
            match self.device.read(&mut record) {
                Ok(length) => {
                    let record = String::from_utf8_lossy(&record[..length]);
                    let text = message(&record);
                    if words.iter().all(|word| text.contains(word)) {
                        lines.push_str(text);
                        lines.push('\n');
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(lines),
                // Records were overwritten; the next read goes on with the oldest.
                Err(error) if error.raw_os_error() == Some(Errno::PIPE.raw_os_error()) => {}
                Err(error) => return Err(error).tried(format_args!("read {KMSG}")),
            }
        }
    }
}

/// The text of a record, without what stands before it and the dictionary after it.
fn message(record: &str) -> &str {
    let text = record.split_once(';').map_or(record, |(_, text)| text);
    text.lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_stripped_to_its_message() {
        let record = "3,812,58603896,-;Aborting journal on device loop7-8.\n SUBSYSTEM=block\n";
        assert_eq!(message(record), "Aborting journal on device loop7-8.");
        assert_eq!(message("6,1,1,-;a; b\n"), "a; b");
    }
}
