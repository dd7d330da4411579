//! Whether and how a disk may be probed. Decided before anything is sent.
//!
//! An fsync of a node writes that node's dirty pages back first; where the node carries a mounted
//! file system this can abort its journal during an outage. So such a node is flushed alone or
//! not at all.

use super::judge::{self, Knowledge};
use super::{FlushVerdict, report::DiskReport};
use crate::disk::Disk;
use crate::kernel_version::KernelVersion;
use crate::observation::Observation;

/// How a disk may be probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// A ranged flush if the kernel has one, else a plain fsync: nothing is mounted on the node.
    Any,
    /// A ranged flush only: a file system is mounted on this very node.
    RangedOnly,
    /// No flush: the verdict is known without one, or none would be sent.
    None,
}

/// At most so many probes in `BATCH_MS` where the kernel's rate limited line is needed. The limit
/// is 10 lines in 5 s (DEFAULT_RATELIMIT_BURST, include/linux/ratelimit_types.h).
pub const BATCH: usize = 8;

/// See `BATCH`.
pub const BATCH_MS: u64 = 6000;

/// Decides for one disk.
pub fn permission(disk: &Disk, seen: &Observation, earlier: &[&DiskReport]) -> Permission {
    let known = Knowledge { earlier, ..Knowledge::default() };
    let verdict = judge::judge(disk, seen, known).verdict;
    if !matches!(verdict, FlushVerdict::Untested | FlushVerdict::Proven) {
        return Permission::None;
    }
    match seen.mounted_on_node(disk) {
        Some(_) => Permission::RangedOnly,
        None => Permission::Any,
    }
}

/// Whether the kernel's line may be the only trace of a failed flush (6.11+), so that probes must
/// come in batches.
pub fn needs_log_line(kernel: Option<KernelVersion>) -> bool {
    kernel.is_none_or(|kernel| !kernel.aborts_on_failed_flush())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::block::DeviceNumber;
    use crate::disk::sample;
    use crate::volume::Volume;

    const FLUSH: &[(&str, &str)] = &[("feature-flush-cache", "1"), ("mode", "w")];

    fn seen(mounted: Option<DeviceNumber>) -> Observation {
        let volumes = mounted.map(|device| Volume {
            mount_point: "/".into(),
            fstype: "ext3".into(),
            device,
            device_name: "xvda".into(),
            disks: ["xvda".into()].into(),
        });
        let kernel = Some(KernelVersion::new(6, 1, 0));
        Observation { kernel, volumes: volumes.into_iter().collect(), ..Observation::default() }
    }

    #[test]
    fn a_node_with_a_mounted_file_system_takes_a_lone_flush_only() {
        let disk = sample::disk("xvda", FLUSH);
        let node = disk.device.as_ref().map(|device| device.number);
        assert_eq!(permission(&disk, &seen(node), &[]), Permission::RangedOnly);
        let partition = DeviceNumber { major: 202, minor: 1 };
        assert_eq!(permission(&disk, &seen(Some(partition)), &[]), Permission::Any);
    }

    #[test]
    fn what_would_not_be_sent_is_not_probed() {
        for keys in [&[][..], &[("feature-barrier", "0")], &[("mode", "r"), FLUSH[0]]] {
            let disk = sample::disk("xvda", keys);
            assert_eq!(permission(&disk, &seen(None), &[]), Permission::None, "{keys:?}");
        }
    }
}
