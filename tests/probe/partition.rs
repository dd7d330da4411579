//! One partition of a loop device, with a node of its own.
//!
//! By the ioctl behind addpart(8), so that no partition table has to be written.

use std::fs;
use std::path::PathBuf;

use harness::loop_device::LoopDevice;
use harness::program;
use harness::scratch::Scratch;
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

/// A partition from 1 MiB to the end of a disk.
pub struct Partition {
    /// `major:minor`.
    pub number: String,
    /// Its node.
    pub node: PathBuf,
    whole: PathBuf,
    _folder: Scratch,
}

/// In sectors.
const START: u64 = 2048;

impl Partition {
    /// Adds it; drop it before the disk.
    pub fn add(disk: &LoopDevice) -> Partition {
        let size = fs::read_to_string(disk.sysfs().join("size")).unwrap();
        let length = (size.trim_end().parse::<u64>().unwrap() - START).to_string();
        let whole = disk.node().to_owned();
        let words = [whole.to_string_lossy().into_owned(), "1".into(), START.to_string(), length];
        program::run("addpart", &words).unwrap();
        let name = format!("{}p1", disk.name());
        let number = fs::read_to_string(disk.sysfs().join(name).join("dev")).unwrap();
        let (major, minor) = number.trim_end().split_once(':').unwrap();
        let rdev = makedev(major.parse().unwrap(), minor.parse().unwrap());
        let folder = Scratch::new("partition").unwrap();
        let node = folder.path().join("node");
        mknodat(CWD, &node, FileType::BlockDevice, Mode::RUSR | Mode::WUSR, rdev).unwrap();
        Partition { number: number.trim_end().to_owned(), node, whole, _folder: folder }
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // It fails while the partition is in use; then the disk's end takes it along.
        let _ = program::run("delpart", &[self.whole.as_os_str(), "1".as_ref()]);
    }
}
