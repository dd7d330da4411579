//! The kernel log, from `/dev/kmsg` or from a file with the same records.
//!
//! Opened once, at its oldest record, and then followed, so that what a probe causes is seen.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::{Errno, read};
use xvdguard_logic::kernel_log::KernelLog;
use xvdguard_logic::kernel_log::record::Record;
use xvdguard_logic::text::Text;

use crate::error::{Error, Result};
use crate::root::{self, Root};

/// Larger than any record (PRINTK_MESSAGE_MAX, kernel/printk/internal.h, is 2048 plus escapes).
const RECORD_BYTES: usize = 16 * 1024;

/// The records of a kernel log, each handed on once.
#[derive(Debug)]
pub struct Records {
    source: Option<Origin>,
    name: Text,
}

#[derive(Debug)]
enum Origin {
    /// One record for each read(2); EAGAIN at the end, EPIPE where records were overwritten.
    Device(OwnedFd),
    /// All records of a recording, one a line.
    File(Vec<u8>),
}

/// A followed kernel log: what its records say.
#[derive(Debug)]
pub struct KernelLogReader {
    records: Records,
    log: KernelLog,
    next_sequence: Option<u64>,
}

impl Records {
    /// Opens `dev/kmsg` below the root.
    pub fn open(root: &Root) -> Result<Self> {
        let path = b"dev/kmsg";
        let file = root.open(path, OFlags::RDONLY | OFlags::NONBLOCK);
        Self::over(file, root.shown(path))
    }

    fn over(file: std::result::Result<OwnedFd, Errno>, name: Text) -> Result<Self> {
        let failed = |errno| Error::system("open", name.clone(), errno);
        let file = file.map_err(failed)?;
        let mode = fs::fstat(&file).map_err(failed)?.st_mode;
        let source = if FileType::from_raw_mode(mode) == FileType::CharacterDevice {
            Origin::Device(file)
        } else {
            Origin::File(root::read_whole(file.as_fd()).map_err(failed)?)
        };
        Ok(Records { source: Some(source), name })
    }

    /// None at all.
    pub fn none() -> Self {
        Records { source: None, name: Text::default() }
    }

    /// Hands on all that have come since. What is no record is passed over.
    pub fn drain(&mut self, take: &mut dyn FnMut(&Record<'_>)) -> Result<()> {
        let mut take = |bytes: &[u8]| Record::parse(bytes).iter().for_each(&mut *take);
        match self.source.take() {
            None => Ok(()),
            Some(Origin::File(content)) => {
                // A line that begins with a space continues the record before it: its dictionary.
                content.split(|byte| *byte == b'\n').for_each(take);
                Ok(())
            }
            Some(Origin::Device(device)) => {
                let result = read_device(&device, &mut take)
                    .map_err(|errno| Error::system("read", self.name.clone(), errno));
                self.source = Some(Origin::Device(device));
                result
            }
        }
    }

    /// To be polled; none where there is no device.
    pub fn device(&self) -> Option<BorrowedFd<'_>> {
        match &self.source {
            Some(Origin::Device(device)) => Some(device.as_fd()),
            _ => None,
        }
    }
}

impl KernelLogReader {
    /// Follows `dev/kmsg` below the root.
    pub fn open(root: &Root) -> Result<Self> {
        Records::open(root).map(Self::of)
    }

    /// Opens a file that a person named, from the working directory on.
    pub fn open_named(path: &[u8]) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Records::over(fs::open(path, flags, Mode::empty()), Text::from(path)).map(Self::of)
    }

    /// No log at all: nothing will be proven.
    pub fn none() -> Self {
        Self::of(Records::none())
    }

    fn of(records: Records) -> Self {
        KernelLogReader { records, log: KernelLog::default(), next_sequence: None }
    }

    /// What is known so far.
    pub fn log(&self) -> &KernelLog {
        &self.log
    }

    /// Reads all that has come since.
    pub fn drain(&mut self) -> Result<()> {
        let KernelLogReader { records, log, next_sequence } = self;
        records.drain(&mut |record| {
            let has_gap = next_sequence.is_some_and(|next| next != record.sequence);
            log.take(record);
            if has_gap {
                log.gap(record.boot_ms());
            }
            *next_sequence = Some(record.sequence + 1);
        })
    }

    /// Forgets what is over, where much is known.
    pub fn keep_in_bounds(&mut self) {
        self.log.keep_in_bounds();
    }
}

/// Hands on every record that is there.
fn read_device(device: &OwnedFd, mut take: impl FnMut(&[u8])) -> std::result::Result<(), Errno> {
    let mut buffer = vec![0; RECORD_BYTES];
    loop {
        match read(device.as_fd(), &mut buffer) {
            Ok(0) | Err(Errno::AGAIN) => return Ok(()),
            Ok(count) => take(&buffer[..count]),
            // The jump in sequence of the next record tells the gap.
            Err(Errno::PIPE | Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Every record of `dev/kmsg` as it is, for a recording.
pub fn raw_records(root: &Root) -> Result<Vec<Vec<u8>>> {
    let mut records = Vec::new();
    match Records::open(root)?.source {
        Some(Origin::Device(device)) => {
            read_device(&device, |record| records.push(record.to_vec()))
                .map_err(|errno| Error::system("read", root.shown(b"dev/kmsg"), errno))?;
        }
        Some(Origin::File(content)) => {
            records.extend(content.split(|byte| *byte == b'\n').map(<[u8]>::to_vec));
        }
        None => {}
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    fn read_file(content: &str) -> KernelLog {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("dev")).unwrap();
        std::fs::write(dir.path().join("dev/kmsg"), content).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        let mut reader = KernelLogReader::open(&root).unwrap();
        reader.drain().unwrap();
        reader.drain().unwrap();
        reader.log().clone()
    }

    #[test]
    fn a_recorded_log_is_read_once() {
        let log = read_file(
            "6,0,0,-;Linux version 6.1\n4,1,58000000,-;blkfront: xvda: flush op failed\n \
             SUBSYSTEM=xen\n12,2,59000000,-;blkfront: xvdb: flush op failed\n",
        );
        assert_eq!(log.complete_since_ms, Some(0));
        assert_eq!(log.facts.len(), 1);
        assert_eq!(log.facts[0].boot_ms, 58000);
    }

    #[test]
    fn a_jump_in_sequence_is_a_gap() {
        let log = read_file("6,0,0,-;a\n6,1,1000,-;b\n6,7,9000000,-;c\n");
        assert_eq!(log.complete_since_ms, Some(9000));
    }

    #[test]
    fn the_running_kernels_log_can_be_followed() {
        let Ok(mut reader) = Root::machine().and_then(|root| KernelLogReader::open(&root)) else {
            println!("SKIPPED the_running_kernels_log_can_be_followed: /dev/kmsg needs root");
            return;
        };
        reader.drain().unwrap();
        assert!(reader.log().complete_since_ms.is_some());
    }
}
