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
use crate::policy::word::WriteProbe;
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
    if let Some(sign) = aborted(turn, volume, believed_from(turn, volume)) {
        return Finding::Dead(line(sign));
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

/// From which record on a line that names it proves that it is dead. An older one may be about an
/// earlier mount: of the lines that say so anew the kernel prints 64 in 30 seconds
/// (ext4_mount_msg_ratelimit, fs/ext4/super.c). Who forbids the write that would tell has to
/// believe all.
fn believed_from(turn: &Turn<'_>, volume: &VolumeMemory) -> u64 {
    match turn.settings.daemon.write_probe.value {
        WriteProbe::Never => 0,
        WriteProbe::OnSuspicion | WriteProbe::EveryTick => volume.watched_from,
    }
}

/// What the kernel said of its death, from this record on.
fn aborted<'a>(turn: &Turn<'a>, volume: &VolumeMemory, since: u64) -> Option<&'a Sign> {
    let is_named = |device: &Text| {
        *device == volume.target.device_name
            || (volume.target.fstype == "btrfs" && volume.disks.contains(device))
    };
    let concerns = |sign: &&Sign| {
        sign.kind == SignKind::Aborted
            && sign.last.sequence >= volume.known_good.sequence.max(since)
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
    if let Some(sign) = aborted(turn, volume, 0) {
        return Some(line(sign));
    }
    // What was mounted from it does not live on when another disk comes under its name.
    if let Some(name) = volume.disks.iter().find(|name| !turn.there.contains(name)) {
        let text = format!("the disk {name} below it is gone");
        return Some(Evidence::new(Source::Sysfs, text, now_ms));
    }
    // ext3 up to 2.6 does not say which file system it is that has become read-only.
    let is_ext = volume.target.fstype.starts_with("ext");
    let nameless = turn.world.signs.of(None, good.sequence);
    let nameless = nameless.filter(|sign| is_ext && sign.kind == SignKind::Aborted).last();
    nameless.map(line)
}

fn line(sign: &Sign) -> Evidence {
    Evidence::new(Source::KernelLog, format!("{}", sign.line), sign.first.boot_ms)
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

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec;

    use super::*;
    use crate::kernel_log::record::Record;
    use crate::policy::settings::Settings;
    use crate::recovery::memory::Checkpoint;
    use crate::recovery::world::{DiskSeen, World};

    /// What the one line "Aborting journal", record 7, says of `/srv`, seen first at this record
    /// and known to be well at that one.
    fn said(write_probe: WriteProbe, watched_from: u64, good: u64) -> Finding {
        let (mut settings, mut world) = (Settings::default(), World::default());
        settings.daemon.write_probe.value = write_probe;
        let text = b"Aborting journal on device xvdb-8.";
        world.signs.take(&Record { priority: 3, sequence: 7, boot_us: 9_000_000, text });
        let mut volume = VolumeMemory { watched_from, ..VolumeMemory::default() };
        volume.known_good = Checkpoint { sequence: good, ..Checkpoint::default() };
        volume.target.device_name = Text::from("xvdb");
        found(&settings, &world, &volume)
    }

    fn found(settings: &Settings, world: &World, volume: &VolumeMemory) -> Finding {
        let seen = VolumeSeen::default();
        let mountinfo = b"30 1 202:16 / /srv rw - ext4 /dev/xvdb rw\n";
        let (mounts, _) = crate::mountinfo::parse(mountinfo);
        look(&Turn::sample(settings, world), volume, &seen, &mounts[0])
    }

    #[test]
    fn a_line_older_than_the_watch_is_a_suspicion() {
        let line = || {
            let text = "Aborting journal on device xvdb-8.".to_string();
            Evidence::new(Source::KernelLog, text, 9_000)
        };
        let on_suspicion = |from, good| said(WriteProbe::OnSuspicion, from, good);
        assert_eq!(on_suspicion(7, 0), Finding::Dead(line()));
        assert_eq!(on_suspicion(8, 0), Finding::Suspicion(line()));
        assert_eq!(on_suspicion(0, 7), Finding::Dead(line()));
        assert_eq!(on_suspicion(8, 8), Finding::Nothing);
        assert_eq!(said(WriteProbe::EveryTick, 8, 0), Finding::Suspicion(line()));
        // Nothing but the kernel's word is left.
        assert_eq!(said(WriteProbe::Never, 8, 0), Finding::Dead(line()));
        assert_eq!(said(WriteProbe::Never, 8, 8), Finding::Nothing);
    }

    #[test]
    fn a_disk_that_is_gone_is_a_suspicion() {
        let settings = Settings::default();
        let disks = ["xvda", "xvdb"].map(Text::from).to_vec();
        let volume = VolumeMemory { disks, ..VolumeMemory::default() };
        let seen = |name: &str| DiskSeen { name: Text::from(name), ..DiskSeen::default() };
        let mut world = World { disks: vec![seen("xvda"), seen("xvdb")], ..World::default() };
        assert_eq!(found(&settings, &world, &volume), Finding::Nothing);
        world.disks.pop();
        let text = "the disk xvdb below it is gone";
        let gone = Finding::Suspicion(Evidence::new(Source::Sysfs, text, 0));
        assert_eq!(found(&settings, &world, &volume), gone);
    }
}
