//! A disk: the block device of a vbd, with what sysfs says about its queue.

use alloc::collections::BTreeMap;
use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::block::DeviceNumber;
use crate::text::Text;
use crate::vbd::backend_kind::BackendKind;
use crate::vbd::{Unflushable, Vbd};

/// A vbd's block device: `xvda`, or `xvda2` where the vbd is itself a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// The kernel's name.
    pub name: Text,
    /// The vbd behind it; none where neither xenstore nor sysfs tells.
    pub vbd: Option<Vbd>,
    /// The block device; none where the vbd has none (not connected, no medium).
    pub device: Option<BlockDisk>,
}

/// What `/sys/block/NAME` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockDisk {
    /// `dev`.
    pub number: DeviceNumber,
    /// Whether xen-blkfront drives it, which turns every failed flush into success.
    pub is_blkfront: bool,
    /// `ro`.
    pub read_only: bool,
    /// `size`, in sectors of 512 bytes.
    pub sectors: u64,
    /// `diskseq` (5.15+): another number after detach and attach.
    pub sequence: Option<u64>,
    /// `queue/*`, each without its final newline.
    pub queue: BTreeMap<String, Text>,
    /// Whether the queue could not be read: a request hangs in it while somebody changes it.
    pub queue_is_silent: bool,
}

impl Disk {
    /// What serves it.
    pub fn backend_kind(&self) -> BackendKind {
        self.vbd.as_ref().map(BackendKind::of).unwrap_or_default()
    }

    /// `queue/write_cache`; the attribute exists since 4.7.
    pub fn write_cache(&self) -> WriteCache {
        let value = self.device.as_ref().and_then(|device| device.queue.get("write_cache"));
        match value.and_then(Text::as_str) {
            Some("write back") => WriteCache::Back,
            // "none" is how early kernels spelled it (block/blk-sysfs.c).
            Some("write through" | "none") => WriteCache::Through,
            _ if self.device.as_ref().is_some_and(|device| device.queue_is_silent) => {
                WriteCache::Unreadable
            }
            _ => WriteCache::Unknown,
        }
    }

    /// Why it takes no flush at all, where that is so.
    pub fn unflushable(&self) -> Option<Unflushable> {
        let by_vbd = self.vbd.as_ref().and_then(Vbd::unflushable);
        match &self.device {
            _ if by_vbd.is_some() => by_vbd,
            None => Some(Unflushable::Empty),
            Some(device) if device.sectors == 0 => Some(Unflushable::Empty),
            Some(device) => device.read_only.then_some(Unflushable::ReadOnly),
        }
    }

    /// What must be equal for an earlier finding to still speak of this connection.
    pub fn connection(&self) -> Connection {
        let vbd = self.vbd.as_ref();
        Connection {
            backend: vbd.and_then(|vbd| vbd.backend_path.clone()),
            event_channel: vbd.and_then(|vbd| vbd.frontend.number("event-channel")),
            sequence: self.device.as_ref().and_then(|device| device.sequence),
        }
    }
}

/// What a connection of frontend and backend is known by. Another path, event channel or disk
/// sequence means that the vbd was attached, migrated or restored in between.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// The backend's directory in xenstore.
    pub backend: Option<Text>,
    /// The frontend's `event-channel`.
    pub event_channel: Option<u64>,
    /// The kernel's `diskseq`.
    pub sequence: Option<u64>,
}

/// What the block layer believes about the disk's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteCache {
    /// Flushes are passed to the driver.
    Back,
    /// Flushes are completed without being sent.
    Through,
    /// The kernel does not say (before 4.7).
    Unknown,
    /// The queue did not answer: never to be taken for a kernel that does not say.
    Unreadable,
}

/// Disks for tests.
#[cfg(test)]
pub(crate) mod sample {
    use super::*;
    use crate::vbd::keys::Keys;

    /// A healthy, connected, writable disk of 8 MiB with these backend keys.
    pub(crate) fn disk(name: &str, backend: &[(&str, &str)]) -> Disk {
        let vbd = Vbd {
            id: 51712,
            backend_path: Some(Text::from("/local/domain/0/backend/vbd/1/51712")),
            frontend: Keys::from(&[("state", "4"), ("event-channel", "8")][..]),
            backend: Keys::from(backend),
            is_unread: false,
        };
        let queue = BTreeMap::from([("write_cache".into(), Text::from("write back"))]);
        let number = DeviceNumber { major: 202, minor: 0 };
        let device =
            BlockDisk { number, is_blkfront: true, sectors: 16384, queue, ..BlockDisk::default() };
        Disk { name: Text::from(name), vbd: Some(vbd), device: Some(device) }
    }
}
