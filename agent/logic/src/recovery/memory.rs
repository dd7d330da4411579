//! What is kept between turns, and over the death of the daemon: `/run/xvdguard/memory.json`.
//!
//! Whoever runs the loop writes it down before the effects of the turn are carried out, so that a
//! daemon that is killed is followed by one that knows what may be under way. Bounded by what is
//! mounted. Good for one boot: what must outlive it is a `BootRecord`.

use alloc::boxed::Box;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::effects::{Effect, EffectId, Identity, Target};
use super::world::{Clocks, Domain, Hold};
use crate::disk::Connection;
use crate::text::Text;
use crate::vbd::advertised::Advertised;
use crate::verdict::evidence::Evidence;

/// Everything that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The boot that it is about; the memory of another one is nothing.
    pub boot_id: Option<Text>,
    /// The name of the next effect.
    pub next_effect: EffectId,
    /// The number of the record that the kernel log would have had next, one turn ago.
    pub next_sequence: u64,
    /// The domain, one turn ago.
    pub domain: Domain,
    /// How the clocks stood, one turn ago.
    #[serde(default)]
    pub clocks: Option<Clocks>,
    /// The hold in force: only a release or its own end takes it away.
    pub hold: Option<Hold>,
    /// The hold that was released last: it is over, also while it can still be seen.
    pub released: Option<Hold>,
    /// Every watched volume, and those of an incident that are not mounted.
    pub volumes: Vec<VolumeMemory>,
    /// Every disk below them.
    pub disks: Vec<DiskMemory>,
    /// This boot's record.
    pub record: RecordMemory,
    /// The reboot while it is handed to the keeper.
    pub reboot: Option<Job>,
    /// Whether the keeper was asked to reboot: once in a boot, unless it could not.
    pub is_rebooting: bool,
    /// How long the reboot of this boot is put off, once that was drawn.
    pub jitter_ms: Option<u64>,
    /// Announcements whose end is not known yet.
    pub said: Vec<Job>,
}

impl Memory {
    /// Whether no volume is in trouble, or only such as are left to a person, and nothing is being
    /// done with any disk.
    pub fn is_at_peace(&self) -> bool {
        let is_well = |volume: &VolumeMemory| match volume.state {
            State::Healthy => !volume.is_suspect,
            State::GivenUp(_) => volume.job.is_none(),
            _ => false,
        };
        let is_left_alone =
            |disk: &DiskMemory| !disk.is_stalled && disk.ask.is_none() && disk.care == Care::None;
        self.volumes.iter().all(is_well) && self.disks.iter().all(is_left_alone)
    }
}

/// A volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeMemory {
    /// The mount that is meant.
    pub target: Target,
    /// Names of the disks below it.
    pub disks: Vec<Text>,
    /// Where it stands.
    pub state: State,
    /// Since when, in milliseconds since boot.
    pub since_ms: u64,
    /// When the reboot that it waits for is due, in milliseconds since boot.
    pub reboot_ms: Option<u64>,
    /// Whether it was once seen writable: what never was is read-only by intention.
    pub was_writable: bool,
    /// What its super block is known by, read while it was healthy.
    pub identity: Option<Identity>,
    /// What was known when it was mounted, seen first, or last shown to take writes: only what came
    /// later speaks against it.
    pub known_good: Checkpoint,
    /// The number of the first record of the kernel log that was written after it was seen first:
    /// what older ones say may be about an earlier mount.
    pub watched_from: u64,
    /// Units that were stopped and wait to be started.
    pub stopped: Vec<Text>,
    /// When it was recovered, in milliseconds since boot: at most as many as the policy allows.
    pub attempts: Vec<u64>,
    /// Whether it must show that it takes writes before it is called healthy.
    pub is_suspect: bool,
    /// Whether something is to be written to it although nothing speaks against it: its disks are
    /// asked first.
    pub is_due: bool,
    /// What was known when the last write probe was ordered.
    pub checkpoint: Checkpoint,
    /// When its super block was asked for last, in milliseconds since boot.
    pub read_ms: Option<u64>,
    /// When it was probed last, in milliseconds since boot.
    pub probed_ms: Option<u64>,
    /// Why it will be given up once its users are started again.
    pub failing: Option<Why>,
    /// When this incident began, in milliseconds since boot.
    pub incident_ms: Option<u64>,
    /// Whether only a reboot heals it.
    pub by_reboot: bool,
    /// Whether a person was told of this incident.
    pub is_told: bool,
    /// The effect under way.
    pub job: Option<Job>,
    /// What this incident rests on, the first of it kept.
    pub evidence: Vec<Evidence>,
}

/// What was known at one moment: what is younger was not looked at yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The number of the next record of the kernel log.
    pub sequence: u64,
    /// What the file system had counted.
    pub errors: Option<u64>,
    /// FAN_FS_ERROR events.
    pub events: u64,
}

/// Where a volume stands; the diagram is in `recovery`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nothing speaks against it.
    #[default]
    Healthy,
    /// A disk below it does not answer and gives no error.
    Stalled,
    /// Errors are seen; its journal is alive as far as is known.
    Erring,
    /// Its journal is dead: it waits until something can be done.
    Aborted,
    /// Being brought back.
    Recovering(Step),
    /// The guest will reboot at this time, in milliseconds since boot.
    RebootPending(u64),
    /// Left to a person.
    GivenUp(Why),
}

/// A step of the recovery job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Does it take no write indeed?
    Confirm,
    /// Is it the same disk?
    Verify,
    /// Who uses it?
    List,
    /// Stop them.
    Stop,
    /// Unmount it.
    Umount,
    /// Is the device free?
    Free,
    /// Check it.
    Fsck,
    /// Mount it.
    Mount,
    /// Does it take writes again?
    Probe,
    /// Start its users.
    Start,
    /// Start its users without having unmounted it: everything as it was.
    PutBack,
}

/// Why a volume was left to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The policy says to report.
    Policy,
    /// Others may have it mounted too.
    Shared,
    /// Exported, snapshotted, swap or containers on it.
    Burdened,
    /// A type of file system that nobody here knows how to check.
    UnknownType,
    /// Mounted more than once, or with other mounts on top.
    ManyMounts,
    /// Its super block was never read while it was healthy, or could not be compared.
    Unverified,
    /// It is not what it was.
    Different,
    /// It is used by what cannot be stopped, or must not be.
    Users,
    /// Its users did not stop.
    NotStopped,
    /// Somebody holds the mount or the device.
    Busy,
    /// fsck needs a person.
    Fsck,
    /// It could not be mounted.
    NotMounted,
    /// Somebody else unmounted it meanwhile.
    Unmounted,
    /// It takes no writes after all that.
    StillDead,
    /// It looks dead and takes writes: that cannot be.
    Contradiction,
    /// A step did not end within its time.
    Hung,
    /// Recovered too often.
    TooOften,
    /// The guest was rebooted too often, or nobody knows how often.
    Guard,
    /// The root file system is dead and is left to a person.
    RootDead,
    /// The keeper could not reboot.
    NoReboot,
}

/// A disk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskMemory {
    /// The kernel's name.
    pub name: Text,
    /// What the connection was known by, one turn ago.
    pub connection: Connection,
    /// What the backend advertised, one turn ago.
    pub advertised: Option<Advertised>,
    /// Requests completed, one turn ago.
    pub completed: u64,
    /// Writes completed, one turn ago.
    pub written: u64,
    /// When the last of them was seen to be.
    pub wrote_ms: Option<u64>,
    /// Since when requests are under way and none was completed.
    pub unmoved_since_ms: Option<u64>,
    /// Whether that lasts so long that it is no load.
    pub is_stalled: bool,
    /// Whether this kernel holds it read-only.
    #[serde(default)]
    pub is_read_only: bool,
    /// Lines about failed requests, one turn ago.
    pub failures: u64,
    /// When the last of them was seen.
    pub failed_ms: Option<u64>,
    /// Since when it has answered every time that it was asked.
    pub answering_since_ms: Option<u64>,
    /// When it answered last.
    pub answered_ms: Option<u64>,
    /// When it was asked last.
    pub asked_ms: Option<u64>,
    /// The question under way.
    pub ask: Option<Job>,
    /// The flush or setting under way.
    pub flush: Option<Job>,
    /// What the barrier job does with it.
    pub care: Care,
}

/// What the barrier job does with a disk while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Care {
    /// Nothing.
    #[default]
    None,
    /// It reconnected: flushes are to be looked at, limits to be set again. Counts what was seen
    /// to, the flushes first.
    Reconnected(u8),
    /// Its flushes are switched off until the trouble is over.
    Sheltered,
    /// The trouble is over: a flush is to be sent.
    ProbeDue,
}

/// An effect under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// What was ordered; apart, since most of hundreds of volumes and disks have no job.
    pub effect: Box<Effect>,
    /// When, in milliseconds since boot.
    pub ordered_ms: u64,
    /// How often it was lost and ordered again.
    pub lost: u32,
}

/// What is known of this boot's record.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordMemory {
    /// What was written last and read back.
    pub written: Option<BootRecord>,
    /// How often it was ordered.
    pub orders: u32,
    /// The write under way.
    pub job: Option<Job>,
}

/// One boot, in `/var/lib/xvdguard/boots`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootRecord {
    /// The boot.
    pub boot_id: Text,
    /// The domain and the machine: a clone has another one of them.
    pub uuid: Option<Text>,
    /// `/etc/machine-id`.
    pub machine_id: Option<Text>,
    /// When it began by the wall clock, in seconds since 1970.
    pub began_s: u64,
    /// Whether it ended well: the daemon was stopped while root was healthy.
    pub ended_well: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::effects::Deed;
    use alloc::vec;

    #[test]
    fn there_is_no_peace_while_anything_is_amiss_or_under_way() {
        let peace = |volume: VolumeMemory, disk: DiskMemory| {
            let (volumes, disks) = (vec![VolumeMemory::default(), volume], vec![disk]);
            Memory { volumes, disks, ..Memory::default() }.is_at_peace()
        };
        let (volume, disk) = (VolumeMemory::default, DiskMemory::default);
        assert!(peace(volume(), disk()));
        let given_up = || VolumeMemory { state: State::GivenUp(Why::Policy), ..volume() };
        assert!(peace(VolumeMemory { is_suspect: true, ..given_up() }, disk()));
        let job = |deed| {
            let effect = Box::new(Effect { id: 1, deed, deadline_ms: None });
            Some(Job { effect, ordered_ms: 0, lost: 0 })
        };
        let target = Target::default();
        let umount = VolumeMemory { job: job(Deed::Umount(target)), ..given_up() };
        assert!(!peace(umount, disk()));
        assert!(!peace(VolumeMemory { state: State::Erring, ..volume() }, disk()));
        assert!(!peace(VolumeMemory { is_suspect: true, ..volume() }, disk()));
        assert!(!peace(volume(), DiskMemory { is_stalled: true, ..disk() }));
        assert!(!peace(volume(), DiskMemory { care: Care::ProbeDue, ..disk() }));
        let ask = job(Deed::ProbeFlush("xvda".into()));
        assert!(!peace(volume(), DiskMemory { ask, ..disk() }));
    }
}
