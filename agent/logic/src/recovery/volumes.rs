//! Volumes: which there are, which mount each memory is about, and what became of them while
//! nobody looked.
//!
//! Whatever somebody else mounts or unmounts is their work: it is followed, never undone.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::effects::Target;
use super::incident::{give_up, reopen};
use super::memory::{Checkpoint, Memory, State, Step, VolumeMemory, Why};
use super::role::repair;
use super::transitions::Move;
use super::turn::Turn;
use super::world::{VolumeSeen, World};
use crate::block::DeviceNumber;
use crate::mountinfo::Mount;
use crate::order;
use crate::text::Text;
use crate::volume::Volume;

/// Volumes that were given up and are not mounted any more; that many are remembered.
const MOST_ABSENT: usize = 64;

/// The volume of that memory, where it is mounted.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub seen: &'a VolumeSeen,
    pub mount: &'a Mount,
    pub volume: &'a Volume,
}

/// Every watched volume that is mounted, by its device.
pub(crate) type Sights<'a> = BTreeMap<DeviceNumber, Sight<'a>>;

/// Finds them, in one pass.
pub(crate) fn sights(world: &World) -> Sights<'_> {
    let mut mounts: BTreeMap<&Text, Vec<&Mount>> = BTreeMap::new();
    for mount in &world.seen.mounts {
        mounts.entry(&mount.mount_point).or_default().push(mount);
    }
    let volumes: BTreeMap<_, _> =
        order::gather(world.seen.volumes.iter().map(|one| (one.device, one)));
    let found = world.volumes.iter().filter_map(|seen| {
        let volume = *volumes.get(&seen.device)?;
        // btrfs shows another number there than its devices have.
        let is_it = |mount: &&&Mount| {
            mount.fstype == volume.fstype
                && (mount.device == volume.device || mount.device.major == 0)
        };
        let mount = *mounts.get(&volume.mount_point)?.iter().find(is_it)?;
        Some((seen.device, Sight { seen, mount, volume }))
    });
    order::gather(found)
}

/// Brings memory and sight together.
pub(crate) fn update(turn: &mut Turn<'_>, memory: &mut Memory) {
    // Mountinfo is never empty: it could not be read, and says nothing.
    if turn.world.seen.mounts.is_empty() {
        return;
    }
    let is_rebooting = memory.is_rebooting;
    for volume in &mut memory.volumes {
        match turn.sight(volume) {
            Some(sight) => follow_mount(turn, volume, &sight, memory.next_sequence),
            None if is_mounted(turn, volume) => {}
            None => follow_unmount(turn, volume, is_rebooting),
        }
    }
    memory.volumes.retain(|volume| !is_forgotten(turn, volume));
    let mut absent = 0;
    memory.volumes.retain(|volume| {
        let is_absent = turn.sight(volume).is_none();
        absent += usize::from(is_absent);
        !is_absent || absent <= MOST_ABSENT
    });
    // A memory that is new knows of no record yet: then the whole log counts.
    let new = new_volumes(turn, &memory.volumes, memory.next_sequence);
    memory.volumes.extend(new);
}

fn new_volumes(turn: &Turn<'_>, known: &[VolumeMemory], since: u64) -> Vec<VolumeMemory> {
    let known: BTreeSet<_> = order::gather(known.iter().map(|volume| volume.target.device));
    let new = turn.sights.values().filter(|sight| !known.contains(&sight.volume.device));
    new.map(|sight| first_sight(turn, sight, since)).collect()
}

fn first_sight(turn: &Turn<'_>, sight: &Sight<'_>, sequence: u64) -> VolumeMemory {
    let Sight { seen, mount, volume } = *sight;
    VolumeMemory {
        target: Target {
            device: volume.device,
            device_name: volume.device_name.clone(),
            mount_point: volume.mount_point.clone(),
            fstype: volume.fstype.clone(),
            mount_id: mount.id,
            options: options(mount),
        },
        disks: volume.disks.clone(),
        since_ms: turn.now_ms,
        was_writable: could_be_written(mount),
        known_good: Checkpoint { sequence, events: 0, ..now(turn, seen) },
        watched_from: turn.world.signs.next_sequence,
        ..VolumeMemory::default()
    }
}

/// Whether it was mounted to be written: what is read-only in the super block alone was made so by
/// the kernel, whoever looks first.
fn could_be_written(mount: &Mount) -> bool {
    mount.is_writable() || (mount.has_option("rw") && repair(&mount.fstype).is_some())
}

/// Both lists; the kernel takes what it knows of them.
fn options(mount: &Mount) -> Text {
    [mount.options.as_bytes(), mount.super_options.as_bytes()].join(&b',').into()
}

/// What is known in this turn.
pub(crate) fn now(turn: &Turn<'_>, seen: &VolumeSeen) -> Checkpoint {
    Checkpoint {
        sequence: turn.world.signs.next_sequence,
        errors: seen.errors,
        events: seen.error_events,
    }
}

/// A mount with another id than the one that is known.
fn follow_mount(turn: &mut Turn<'_>, volume: &mut VolumeMemory, seen: &Sight<'_>, sequence: u64) {
    if seen.mount.id == volume.target.mount_id {
        let is_writable = seen.mount.is_writable();
        if is_writable && !volume.was_writable {
            // Root after its remount: the super block was written anew.
            volume.identity = None;
        }
        volume.was_writable |= is_writable;
        return;
    }
    volume.target.mount_id = seen.mount.id;
    volume.target.mount_point = seen.mount.mount_point.clone();
    volume.was_writable = seen.mount.is_writable() || volume.state != State::Healthy;
    // Read at once: a volume that dies before cannot be compared.
    (volume.identity, volume.read_ms) = (None, None);
    volume.known_good = Checkpoint { sequence, ..now(turn, seen.seen) };
    match volume.state {
        // Ours, or a person was faster: users that were stopped are started after the probe.
        State::Recovering(Step::Stop | Step::Umount | Step::PutBack)
            if !volume.stopped.is_empty() =>
        {
            enter(turn, volume, State::Recovering(Step::Probe));
        }
        State::Recovering(Step::Free | Step::Fsck | Step::Mount) => {
            enter(turn, volume, State::Recovering(Step::Probe));
        }
        State::Healthy | State::Recovering(Step::Probe | Step::Start) => {}
        State::GivenUp(_) if !volume.was_writable => {}
        State::GivenUp(_) => reopen(turn, volume),
        _ => {
            volume.is_suspect = true;
            enter(turn, volume, State::Erring);
        }
    }
}

/// No mount has this id. The kernel gives the id of one that is gone to the next (proc(5)): a
/// volume that is mounted again must not be taken for the mount that was known.
const UNMOUNTED: u32 = u32::MAX;

/// It is not mounted, by us or by others: what others unmount is left to them.
fn follow_unmount(turn: &mut Turn<'_>, volume: &mut VolumeMemory, is_rebooting: bool) {
    volume.target.mount_id = UNMOUNTED;
    let is_untouched = volume.stopped.is_empty();
    let has_begun = volume.job.is_some();
    match volume.state {
        State::RebootPending(_) if !is_rebooting => enter(turn, volume, State::Aborted),
        State::Recovering(Step::Confirm | Step::Verify | Step::List) => {
            enter(turn, volume, State::Aborted);
        }
        State::Recovering(Step::Umount) if has_begun => {}
        State::Recovering(Step::Umount) if is_untouched => enter(turn, volume, State::Aborted),
        State::Recovering(
            Step::Stop | Step::Umount | Step::Probe | Step::Start | Step::PutBack,
        ) => give_up(turn, volume, Why::Unmounted),
        _ => {}
    }
}

/// Whether nothing is left to be done or said about a volume that is not mounted.
fn is_forgotten(turn: &Turn<'_>, volume: &VolumeMemory) -> bool {
    let is_over = match volume.state {
        State::Healthy | State::Stalled | State::Erring | State::Aborted => true,
        State::RebootPending(_) => false,
        State::Recovering(step) => step < Step::Stop,
        State::GivenUp(_) => false,
    };
    let is_there = turn.sight(volume).is_some() || is_mounted(turn, volume);
    is_over && volume.job.is_none() && !is_there
}

/// Whether its mount is there, seen to the bottom or not: what lies below it is out of sight for a
/// moment while device-mapper changes a table.
fn is_mounted(turn: &Turn<'_>, volume: &VolumeMemory) -> bool {
    let is_it = |mount: &Mount| {
        mount.id == volume.target.mount_id && mount.mount_point == volume.target.mount_point
    };
    turn.world.seen.mounts.iter().any(is_it)
}

/// Goes to another state; an effect of the old one is followed no more, unless it still runs.
pub(crate) fn enter(turn: &mut Turn<'_>, volume: &mut VolumeMemory, state: State) {
    if volume.state != state {
        let (from, to) = (volume.state.into(), state.into());
        turn.moves.push(Move { device: volume.target.device, from, to });
        volume.state = state;
        volume.since_ms = turn.now_ms;
    }
    if !matches!(state, State::RebootPending(_) | State::Recovering(Step::Verify)) {
        volume.reboot_ms = None;
    }
    let is_running = |id: u64| turn.world.running.contains(&id);
    if volume.job.as_ref().is_some_and(|job| !is_running(job.effect.id)) {
        volume.job = None;
    }
}

#[cfg(test)]
mod tests;
