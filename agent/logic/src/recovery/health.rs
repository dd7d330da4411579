//! From what is seen to what it says about a volume: the truth is fused, no source is trusted
//! alone.
//!
//! What is definite still has to be confirmed by a write before anything is stopped; what is only
//! a suspicion leads to that write, once the storage is quiet.

use alloc::format;

use super::memory::{DiskMemory, VolumeMemory};
use super::signs::{Sign, SignKind};
use super::turn::Turn;
use super::world::VolumeSeen;
use crate::mountinfo::Mount;
use crate::text::Text;
use crate::verdict::evidence::{Evidence, Source};

/// What speaks against a volume, the worst that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Nothing.
    Nothing,
    /// It may be dead: let it show that it takes writes.
    Suspicion(Evidence),
    /// The kernel says that it is dead.
    Dead(Evidence),
}

/// Looks at everything that there is about one mounted volume.
pub(crate) fn look(
    turn: &Turn<'_>,
    volume: &VolumeMemory,
    seen: &VolumeSeen,
    mount: &Mount,
) -> Finding {
    if let Some(evidence) = dead_by_options(turn, volume, mount) {
        return Finding::Dead(evidence);
    }
    if let Some(sign) = aborted(turn, volume) {
        let text = format!("{}", sign.line);
        return Finding::Dead(Evidence::new(Source::KernelLog, text, sign.first.boot_ms));
    }
    match suspicion(turn, volume, seen) {
        Some(evidence) => Finding::Suspicion(evidence),
        None => Finding::Nothing,
    }
}

/// Whether mountinfo shows it dead: `emergency_ro` and `shutdown` (6.15+), or read-only where
/// nobody made the mount read-only (ext3, ext4 up to 5.10, btrfs).
pub(crate) fn dead_by_options(
    turn: &Turn<'_>,
    volume: &VolumeMemory,
    mount: &Mount,
) -> Option<Evidence> {
    let is_forced = volume.was_writable && mount.has_option("rw") && mount.has_super_option("ro");
    let named = ["emergency_ro", "shutdown"].into_iter().find(|one| mount.has_super_option(one));
    let word = named.or(is_forced.then_some("ro"))?;
    let text = format!("mountinfo shows {} with {word}", mount.mount_point);
    Some(Evidence::new(Source::Mountinfo, text, turn.now_ms))
}

fn aborted<'a>(turn: &Turn<'a>, volume: &VolumeMemory) -> Option<&'a Sign> {
    let is_named = |device: &Text| {
        *device == volume.target.device_name
            || (volume.target.fstype == "btrfs" && volume.disks.contains(device))
    };
    let concerns = |sign: &&Sign| {
        sign.kind == SignKind::Aborted
            && sign.last.sequence >= volume.known_good.sequence
            && sign.device.as_ref().is_some_and(is_named)
    };
    turn.world.signs.iter().find(concerns)
}

fn suspicion(turn: &Turn<'_>, volume: &VolumeMemory, seen: &VolumeSeen) -> Option<Evidence> {
    let (good, now_ms) = (volume.known_good, turn.now_ms);
    if let (Some(now), Some(before)) = (seen.errors, good.errors)
        && now > before
    {
        let text = "its file system has counted errors since it was last known to be well";
        return Some(Evidence::new(Source::Sysfs, text, now_ms));
    }
    if seen.error_events > good.events {
        let text = "the kernel sent FAN_FS_ERROR for it";
        return Some(Evidence::new(Source::Fanotify, text, now_ms));
    }
    // ext3 up to 2.6 does not say which file system it is that has become read-only.
    let is_ext = volume.target.fstype.starts_with("ext");
    let nameless = turn.world.signs.of(None, good.sequence);
    let nameless = nameless.filter(|sign| is_ext && sign.kind == SignKind::Aborted).last();
    nameless.map(|sign| {
        let text = format!("{}", sign.line);
        Evidence::new(Source::KernelLog, text, sign.first.boot_ms)
    })
}

/// Whether a line that names this volume may have been lost: records are missing, and a disk
/// below it gave errors.
pub(crate) fn may_have_missed(
    turn: &Turn<'_>,
    volume: &VolumeMemory,
    disks: &[DiskMemory],
) -> bool {
    let is_gap = turn.world.signs.gap.is_some_and(|gap| gap > volume.known_good.sequence);
    let failed = |disk: &DiskMemory| volume.disks.contains(&disk.name) && disk.failed_ms.is_some();
    is_gap && disks.iter().any(failed)
}
