//! What a volume has to know of everything else in a turn.

use alloc::vec::Vec;
use core::cell::Cell;

use super::effects::EffectId;
use super::guard::Refusal;
use super::memory::{DiskMemory, Job, Memory, State, Step, VolumeMemory};
use super::role::is_root;
use crate::text::Text;

/// Super blocks that are read at a time, so that a guest with a thousand mounts starts quietly.
const READS: usize = 4;

/// The rest of the world, as one volume sees it.
pub(crate) struct Around<'a> {
    /// Every disk.
    pub disks: &'a [DiskMemory],
    /// The disks below root.
    pub root_disks: Vec<Text>,
    /// All disks but those that nothing was ever written to: what is read-only by intention never
    /// counts as answering.
    pub all_disks: Vec<Text>,
    /// Where root stands; none where root is not watched.
    pub root_state: Option<State>,
    /// Whether another volume is unmounted, checked or mounted at this moment.
    pub is_work_under_way: Cell<bool>,
    /// Whether the keeper has been asked to reboot.
    pub is_rebooting: bool,
    /// Whether a reboot would be allowed.
    pub guard: Result<(), Refusal>,
    reads: Cell<usize>,
}

/// Whether it is being taken from its users, or given back.
pub(crate) fn works(volume: &VolumeMemory) -> bool {
    matches!(volume.state, State::Recovering(step) if step >= Step::Stop)
}

impl<'a> Around<'a> {
    /// What surrounds these volumes, and which effects run by now. What has ended makes room in
    /// this very turn: where nothing runs any more, nothing would bring about the next one.
    pub(crate) fn new(
        memory: &'a Memory,
        volumes: &[VolumeMemory],
        running: &[EffectId],
        guard: Result<(), Refusal>,
    ) -> Around<'a> {
        let root = volumes.iter().find(|volume| is_root(volume));
        let runs = |job: &Job| running.contains(&job.effect.id);
        let reads = |volume: &&VolumeMemory| {
            volume.state == State::Healthy && volume.job.as_ref().is_some_and(runs)
        };
        let is_written = |name: &Text| {
            volumes.iter().any(|volume| volume.was_writable && volume.disks.contains(name))
        };
        let counts = |disk: &&DiskMemory| !disk.is_read_only || is_written(&disk.name);
        Around {
            disks: &memory.disks,
            root_disks: root.map(|root| root.disks.clone()).unwrap_or_default(),
            all_disks: memory.disks.iter().filter(counts).map(|disk| disk.name.clone()).collect(),
            root_state: root.map(|root| root.state),
            is_work_under_way: Cell::new(volumes.iter().any(works)),
            is_rebooting: memory.is_rebooting,
            guard,
            reads: Cell::new(volumes.iter().filter(reads).count()),
        }
    }

    fn below<'b>(&'b self, volume: &'b VolumeMemory) -> impl Iterator<Item = &'b DiskMemory> {
        self.disks.iter().filter(|disk| volume.disks.contains(&disk.name))
    }

    /// Whether one of its disks is stalled.
    pub(crate) fn is_stalled(&self, volume: &VolumeMemory) -> bool {
        self.below(volume).any(|disk| disk.is_stalled)
    }

    /// When one of its disks gave an error last.
    pub(crate) fn failed_ms(&self, volume: &VolumeMemory) -> Option<u64> {
        self.below(volume).filter_map(|disk| disk.failed_ms).max()
    }

    /// Whether one more super block may be read at this moment; whoever asks reads it.
    pub(crate) fn may_read(&self) -> bool {
        let count = self.reads.get();
        self.reads.set(count + 1);
        count < READS
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::recovery::effects::{Deed, Effect, Target};

    #[test]
    fn only_the_disks_below_a_volume_count_and_the_last_error_of_them() {
        let disk = |name: &str, failed_ms, is_stalled| DiskMemory {
            name: Text::from(name),
            failed_ms,
            is_stalled,
            ..DiskMemory::default()
        };
        let disks = vec![
            disk("xvda", Some(9_000), true),
            disk("xvdb", Some(3_000), false),
            disk("xvdc", Some(5_000), false),
            disk("xvdd", None, false),
        ];
        let memory = Memory { disks, ..Memory::default() };
        let around = Around::new(&memory, &[], &[], Ok(()));
        let of = |names: &[&str]| {
            let disks = names.iter().copied().map(Text::from).collect();
            let volume = VolumeMemory { disks, ..VolumeMemory::default() };
            (around.failed_ms(&volume), around.is_stalled(&volume))
        };
        assert_eq!(of(&["xvdb", "xvdc", "xvdd"]), (Some(5_000), false));
        assert_eq!(of(&["xvdd", "xvde"]), (None, false));
        assert_eq!(of(&["xvda"]), (Some(9_000), true));
    }

    #[test]
    fn four_super_blocks_are_read_at_a_time_and_one_that_was_read_makes_room() {
        let reading = |id: EffectId| {
            let deed = Deed::ReadIdentity(Target::default());
            let effect = Effect { id, deadline_ms: None, deed }.into();
            let job = Some(Job { effect, ordered_ms: 0, lost: 0 });
            VolumeMemory { job, ..VolumeMemory::default() }
        };
        let memory = Memory::default();
        let volumes: Vec<VolumeMemory> = (1..=4).map(reading).collect();
        let more = |running: &[EffectId]| {
            let around = Around::new(&memory, &volumes, running, Ok(()));
            (0..6).filter(|_| around.may_read()).count()
        };
        assert_eq!([more(&[1, 2, 3, 4]), more(&[2, 3, 4]), more(&[])], [0, 1, 4]);
    }
    /// An ISO that is mounted would keep a dead root waiting for half an hour, and `/var` for ever.
    #[test]
    fn a_disk_that_is_read_only_by_intention_is_not_waited_for() {
        let disk = |name: &str, is_read_only| DiskMemory {
            name: Text::from(name),
            is_read_only,
            ..DiskMemory::default()
        };
        let disks = vec![disk("xvda", false), disk("xvdb", true), disk("xvdc", true)];
        let memory = Memory { disks, ..Memory::default() };
        let volume = |name: &str, was_writable| VolumeMemory {
            disks: vec![Text::from(name)],
            was_writable,
            ..VolumeMemory::default()
        };
        let volumes = [volume("xvda", true), volume("xvdb", false), volume("xvdc", true)];
        let around = Around::new(&memory, &volumes, &[], Ok(()));
        assert_eq!(around.all_disks, ["xvda", "xvdc"].map(Text::from));
    }
}
