//! One look at the small world that every decision is made from.

use alloc::string::String;
use alloc::vec::Vec;

use crate::block::BlockTree;
use crate::disk::Disk;
use crate::kernel_log::KernelLog;
use crate::kernel_version::KernelVersion;
use crate::mountinfo::Mount;
use crate::text::Text;
use crate::volume::Volume;
use crate::xen::XenMode;

/// One look at this machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observation {
    /// When, in milliseconds since boot.
    pub boot_ms: u64,
    /// `/proc/sys/kernel/random/boot_id`: what an earlier report must name to count.
    pub boot_id: Option<Text>,
    /// The kind of domain.
    pub xen: XenMode,
    /// The running kernel.
    pub kernel: Option<KernelVersion>,
    /// `/proc/cmdline`.
    pub command_line: Text,
    /// Every vbd, with its block device, by name.
    pub disks: Vec<Disk>,
    /// Every block device, by what it lies on.
    pub block: BlockTree,
    /// Every mount, as mountinfo lists them.
    pub mounts: Vec<Mount>,
    /// Every mounted file system that lies on block devices.
    pub volumes: Vec<Volume>,
    /// What the kernel log says.
    pub log: KernelLog,
    /// What could not be read, each with path and errno.
    pub oddities: Vec<String>,
}

impl Observation {
    /// The volume whose super block lies directly on this disk's own node, if any is mounted.
    pub fn mounted_on_node(&self, disk: &Disk) -> Option<&Volume> {
        let number = disk.device.as_ref()?.number;
        self.volumes.iter().find(|volume| volume.device == number)
    }

    /// The disk of that name.
    pub fn disk(&self, name: &Text) -> Option<&Disk> {
        self.disks.iter().find(|disk| disk.name == *name)
    }
}
