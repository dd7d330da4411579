//! FAN_FS_ERROR for every watched volume: how many events each has had.

use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;

use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::mountinfo::Mount;

use crate::calls::fs_errors::{FsErrors, FsId};
use crate::error::{Error, Result};

/// The group, and what is known by it. Which of its ids is whose is asked at mount time: a path
/// walk to a mount point touches no disk, its directories are in memory as long as it is mounted.
#[derive(Debug)]
pub struct ErrorEvents {
    group: FsErrors,
    /// By mount id: another mount of the same device is another file system.
    marked: BTreeMap<u32, Option<FsId>>,
    counts: BTreeMap<FsId, u64>,
}

impl ErrorEvents {
    /// Fails where the kernel does not know it (before 5.16) or does not allow it.
    pub fn open() -> Result<ErrorEvents> {
        let group = FsErrors::open()
            .map_err(|errno| Error::system("open", "fanotify for file system errors", errno))?;
        Ok(ErrorEvents { group, marked: BTreeMap::new(), counts: BTreeMap::new() })
    }

    /// To be polled.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        use std::os::fd::AsFd;
        self.group.as_fd()
    }

    /// Asks for the events of these mounts, and forgets those that are gone. A file system that
    /// takes no mark is left to the other sources.
    pub fn follow<'a>(&mut self, mounts: impl Iterator<Item = &'a Mount>) {
        let mut kept = BTreeMap::new();
        for mount in mounts {
            let known = self.marked.get(&mount.id).copied();
            let id = known.unwrap_or_else(|| self.group.mark(mount.mount_point.as_bytes()).ok());
            kept.insert(mount.id, id);
        }
        self.marked = kept;
        let marked = &self.marked;
        self.counts.retain(|id, _| marked.values().any(|one| *one == Some(*id)));
    }

    /// Takes what has come.
    pub fn take(&mut self) {
        for event in self.group.take() {
            *self.counts.entry(event.file_system).or_default() += u64::from(event.count.max(1));
        }
    }

    /// How many events the volume of that mount has had.
    pub fn of(&self, mount_id: u32) -> u64 {
        let id = self.marked.get(&mount_id).copied().flatten();
        id.and_then(|id| self.counts.get(&id).copied()).unwrap_or(0)
    }
}

/// The mount that stands for a volume: the first of its device, as `volume::volumes` has it.
pub fn mount_of<'a>(
    mounts: &'a [Mount],
    device: DeviceNumber,
    mount_point: &[u8],
) -> Option<&'a Mount> {
    let of_device = |mount: &&Mount| mount.device == device || mount.device.major == 0;
    let at = |mount: &&Mount| mount.mount_point.as_bytes() == mount_point;
    mounts.iter().filter(of_device).find(at)
}
