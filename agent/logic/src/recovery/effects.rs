//! What is to be done, as values, and what came of it.
//!
//! Nothing here does anything. Whoever performs an effect looks again right before it acts, does
//! it in a child with the effect's deadline, and brings back how it ended. At most one effect of
//! a volume, and one of a disk, is under way at a time.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::memory::BootRecord;
use crate::block::DeviceNumber;
use crate::effect::QueueSetting;
use crate::super_block::journal::Journal;
use crate::text::Text;

/// Names an effect; counts up over all daemons of one boot.
pub type EffectId = u64;

/// One thing to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// Its name. The same name twice is the same effect: it is not begun again.
    pub id: EffectId,
    /// When its child is killed, in milliseconds after its begin; none where it must never be
    /// killed. A child that cannot be killed stays in `World::running` until it is gone.
    pub deadline_ms: Option<u64>,
    /// What.
    pub deed: Deed,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Deed {
    /// Read the first and the last block of the disk with O_DIRECT. `Done`: both were read.
    AskDisk(Text),
    /// Send one flush, as `probe` does where permitted, and keep the report.
    ProbeFlush(Text),
    /// Write an attribute of a disk's queue.
    SetQueue(QueueSetting),
    /// Read the super block with O_DIRECT. Ends with `Identity`.
    ReadIdentity(Target),
    /// Flush its device, then create a new file below the mount point, write and fsync it, remove
    /// it; st_dev and mount id checked before. `Done`: the volume takes writes. `Failed` with
    /// `ReadOnly`: it does not.
    ProbeWrite(Target),
    /// Read the super block with O_DIRECT and compare. `Failed` with `Different`: another disk.
    VerifySameDisk(Target, Identity),
    /// Who uses the volume. Ends with `Users`.
    ListUsers(Target),
    /// Stop these units, and never a target.
    StopUsers(Target, Vec<Text>),
    /// Unmount it, plainly: neither lazy nor forced.
    Umount(Target),
    /// O_EXCL on node and whole disk, no holders, no swap, no loop, no super block alive.
    CheckFree(Target),
    /// Check the file system and repair what is safe, once it is proven free and the same.
    Fsck(Target, Identity),
    /// Mount it where and as it was, once it is proven free and the same: the mount unit alone
    /// where there is one.
    Mount(Target, Identity),
    /// Start these units, and never a target.
    StartUsers(Target, Vec<Text>),
    /// Say it. `AlreadySo`: an announcement of this name was said.
    Announce(Announcement),
    /// Write this boot's record and read it back, unless the disks of root are silent.
    WriteRecord(BootRecord),
    /// Hand the reboot to the keeper. It never comes back.
    Reboot(Ladder),
}

impl Deed {
    /// The one volume that it is about, where it is about one.
    pub fn target(&self) -> Option<&Target> {
        match self {
            Deed::ReadIdentity(target)
            | Deed::ProbeWrite(target)
            | Deed::VerifySameDisk(target, _)
            | Deed::ListUsers(target)
            | Deed::StopUsers(target, _)
            | Deed::Umount(target)
            | Deed::CheckFree(target)
            | Deed::Fsck(target, _)
            | Deed::Mount(target, _)
            | Deed::StartUsers(target, _) => Some(target),
            Deed::AskDisk(_)
            | Deed::ProbeFlush(_)
            | Deed::SetQueue(_)
            | Deed::Announce(_)
            | Deed::WriteRecord(_)
            | Deed::Reboot(_) => None,
        }
    }
}

/// Which volume is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The number of the device that carries it.
    pub device: DeviceNumber,
    /// Its name.
    pub device_name: Text,
    /// Where it is or was mounted.
    pub mount_point: Text,
    /// `ext4`, `xfs`, …
    pub fstype: Text,
    /// Which mount: one with another id there is somebody else's.
    pub mount_id: u32,
    /// Options of the mount, then of the super block, as they were while it was healthy.
    pub options: Text,
}

/// What a super block is known by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The file system's UUID, as bytes in hexadecimal.
    pub uuid: Text,
    /// The size of the device, in sectors of 512 bytes.
    pub sectors: u64,
    /// What changes with each mount (ext3 and ext4: time and count), where there is such a thing:
    /// an older snapshot of the same file system differs in it.
    pub mount: Option<Text>,
    /// How far its journal had come and at which byte that begins (ext3 and ext4).
    #[serde(default)]
    pub journal: Option<(u64, Journal)>,
    /// Whether another guest may have it mounted too (ext4's multiple mount protection).
    pub is_shared: bool,
}

/// Who uses a volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// Services, sockets, timers and paths that may be stopped, in the order to stop them.
    pub units: Vec<Text>,
    /// What cannot be stopped by unit: processes that the init system does not know, mounts on
    /// top, loop devices, swap. In words, for people.
    pub others: Vec<String>,
}

/// Something for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// How loud.
    pub level: Level,
    /// The mount point that it is about.
    pub mount_point: Option<Text>,
    /// One sentence or some, with what to do.
    pub text: String,
}

/// How loud something is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// For the log.
    Notice,
    /// The guest is about to reboot: terminals and motd too.
    Warning,
    /// A person has to do something: terminals and motd too.
    Alert,
}

/// The keeper's ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// How long PID 1 may take for an orderly shutdown.
    pub orderly_ms: u64,
    /// The volumes that are dead: every other one may still be written to, and is given time.
    pub dead: Vec<DeviceNumber>,
    /// Why, in one sentence.
    pub reason: String,
}

/// How an effect ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Which.
    pub id: EffectId,
    /// How.
    pub outcome: Outcome,
}

/// What came of an effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was so before: nothing was done.
    AlreadySo,
    /// The answer of `ReadIdentity`.
    Identity(Identity),
    /// The answer of `ListUsers`.
    Users(Users),
    /// It was not done, or not wholly.
    Failed(Failure),
    /// Its child was killed at the deadline.
    TimedOut,
}

impl Outcome {
    /// Whether the storage failed.
    pub fn is_storage(&self) -> bool {
        matches!(self, Outcome::Failed(failure) if failure.kind == FailureKind::Storage)
    }
}

/// Why an effect failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind.
    pub kind: FailureKind,
    /// What was tried, on what, and the errno or exit code; safe for a terminal.
    pub text: String,
}

/// What kind of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The storage answered with an error (EIO), or fsck with 8.
    Storage,
    /// A new file could not be created or kept (EROFS, EIO, ESHUTDOWN): the volume is dead.
    ReadOnly,
    /// There is no such mount any more, or another one in its place.
    Gone,
    /// Another disk, another file system, an older snapshot, or one that others have mounted.
    Different,
    /// Somebody holds it: umount said EBUSY, or the device is not free.
    Busy,
    /// fsck left errors (exit 4), or wants what a person must decide.
    NeedsPerson,
    /// Anything else: no such program, no such unit, out of memory.
    Other,
}
