//! A disk that fails on command: a loop device on the faulty storage, and a file system on it.
//!
//! What a loop device makes of the faults (Linux 6.18): every refused flush is EIO, whatever the
//! storage said; a read or write that is refused with EOPNOTSUPP stays "operation not supported"
//! in the kernel log, all else is EIO; `write_cache` stays as it is. So EOPNOTSUPP for a flush,
//! which makes blkfront switch its cache off, cannot be had this way. Flushes are counted from
//! the first moment, also those of attaching and mkfs: compare with a count taken before.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

use crate::failure::Result;
use crate::faulty_storage::FaultyStorage;
use crate::loop_device::LoopDevice;
use crate::mount::Mounted;
use crate::program;

/// A disk and the storage below it. Fields are dropped from the top, as it has to be.
#[derive(Debug)]
pub struct FaultyDisk {
    /// The block device.
    pub device: LoopDevice,
    /// What fails.
    pub storage: FaultyStorage,
}

impl FaultyDisk {
    /// An empty disk.
    pub fn new(size_bytes: u64) -> Result<FaultyDisk> {
        let storage = FaultyStorage::start(size_bytes)?;
        let device = LoopDevice::attach(&storage.file())?;
        Ok(FaultyDisk { device, storage })
    }

    /// A disk of 64 MiB with a file system.
    pub fn formatted(fstype: &str) -> Result<FaultyDisk> {
        let disk = FaultyDisk::new(64 << 20)?;
        let mkfs = format!("mkfs.{fstype}");
        program::run(&mkfs, &["-q".as_ref(), disk.device.node().as_os_str()])?;
        Ok(disk)
    }

    /// Mounts it; the target is made where it is missing.
    pub fn mount(&self, target: &Path, fstype: &str, options: &str) -> Result<Mounted> {
        Mounted::new(self.device.node(), target, fstype, options)
    }

    /// A plain fsync of the node: writes its page cache back, then sends a flush.
    pub fn fsync(&self) -> io::Result<()> {
        OpenOptions::new().write(true).open(self.device.node())?.sync_all()
    }

    /// The error counter of the mounted ext file system; `None` where none is mounted.
    pub fn errors_count(&self) -> Option<u64> {
        let path = format!("/sys/fs/ext4/{}/errors_count", self.device.name());
        fs::read_to_string(path).ok()?.trim().parse().ok()
    }
}
