//! What the daemon sees in one turn: the small world of `Observation`, and what only somebody who
//! stays can see.
//!
//! Every turn holds all of it, whatever woke the loop, so that a lost event is a delay and no bug.
//! Nothing here is remembered: that is `memory`. Nothing here may have touched a sick disk: what
//! needs that is an effect, and its answer comes back in `ended`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::effects::{EffectId, Ended};
use super::memory::BootRecord;
use super::signs::Signs;
use crate::block::DeviceNumber;
use crate::observation::Observation;
use crate::text::Text;
use crate::verdict::report::Report;

/// What is seen in one turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// Disks, block devices, mounts, volumes, the kernel's lines about flushes, and the time of
    /// this turn: `boot_ms` by CLOCK_BOOTTIME.
    pub seen: Observation,
    /// What early boot, `probe` and the daemon itself found out about flushes in this boot.
    pub reports: Vec<Report>,
    /// What else is known of the mounted volumes, by the device of `seen.volumes`. A volume that
    /// is not listed is not watched.
    pub volumes: Vec<VolumeSeen>,
    /// Counters of every disk below a watched volume, vbd or not. A disk that is not listed does
    /// not answer.
    pub disks: Vec<DiskSeen>,
    /// The kernel's lines, folded.
    pub signs: Signs,
    /// CLOCK_REALTIME in seconds since 1970: may jump, may be wrong.
    pub wall_s: u64,
    /// How long the guest has slept since it booted: what CLOCK_BOOTTIME is ahead of
    /// CLOCK_MONOTONIC.
    pub slept_ms: u64,
    /// Which domain this is.
    pub domain: Domain,
    /// What stops and starts services.
    pub init: Init,
    /// Whether somebody asks for no automatic action.
    pub hold: Option<Hold>,
    /// What `xvdguard release` and the host asked for since the last turn. An answer to a
    /// question that was asked twice is the same: giving one twice does no harm.
    pub releases: Vec<Release>,
    /// What is known of earlier boots.
    pub guard: Guard,
    /// Effects that came to an end since the last turn. Collected before the rest is looked at:
    /// what they changed is in this world.
    pub ended: Vec<Ended>,
    /// Effects that still run, those of a daemon that was killed and those whose child cannot be
    /// killed among them. An effect that is in neither list is lost, and is ordered again.
    pub running: Vec<EffectId>,
    /// Any number, drawn anew for each turn: what is to be spread over the guests of a host comes
    /// from it.
    pub chance: u64,
    /// Whether the daemon is asked to stop (SIGTERM).
    pub is_stopping: bool,
}

/// A mounted volume, besides what mountinfo says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeSeen {
    /// The device of the `Volume` that is meant.
    pub device: DeviceNumber,
    /// Errors that the file system has counted, where it counts: `errors_count` of
    /// `/sys/fs/ext4/NAME`, the sum of btrfs's `error_stats`. Only its growth counts.
    pub errors: Option<u64>,
    /// FAN_FS_ERROR events (5.16+) since it was mounted, or since the daemon watches it.
    pub error_events: u64,
    /// Why it must not be unmounted by itself, as far as can be seen from outside.
    pub burdens: Vec<Burden>,
    /// Whether PID 1, journald, udevd or xvdguard has files of it open or mapped.
    pub holds_core_files: bool,
}

/// Why a volume is only reported, unless the policy names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Burden {
    /// Exported to other machines (`/proc/fs/nfsd/exports`, smb).
    Exported,
    /// Origin or snapshot of a snapshot.
    Snapshotted,
    /// Carries a swap file (`/proc/swaps`).
    Swap,
    /// Carries the layers of containers.
    Containers,
}

/// Counters of a disk, read without touching it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskSeen {
    /// The kernel's name, as in `Volume::disks`.
    pub name: Text,
    /// `size`, in sectors of 512 bytes.
    pub sectors: u64,
    /// `ro`.
    pub read_only: bool,
    /// Requests under way: both numbers of `inflight`.
    pub in_flight: u64,
    /// Requests completed since boot: reads, writes, discards and flushes of `stat`.
    pub completed: u64,
    /// The writes among them.
    pub written: u64,
}

/// How the clocks stand to each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// What CLOCK_REALTIME is ahead of CLOCK_BOOTTIME.
    pub wall_ahead_s: i64,
    /// As in `World`.
    pub slept_ms: u64,
}

impl Clocks {
    /// Whoever keeps the time sets it by less.
    const STEP_S: u64 = 60;

    /// Whether they stand otherwise than then, by more than two that are read one after the other.
    pub fn differ(self, before: Clocks) -> bool {
        self.slept_ms.abs_diff(before.slept_ms) > 10
            || self.wall_ahead_s.abs_diff(before.wall_ahead_s) > 1
    }

    /// Whether the guest slept, was restored from a snapshot, or somebody set its time, since the
    /// clocks stood so.
    pub fn has_jumped(self, before: Clocks) -> bool {
        self.slept_ms.abs_diff(before.slept_ms) > 1_000
            || self.wall_ahead_s.abs_diff(before.wall_ahead_s) > Clocks::STEP_S
    }
}

impl World {
    /// How the clocks stand in this turn.
    pub fn clocks(&self) -> Clocks {
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let wall_ahead_s = seconds(self.wall_s) - seconds(self.seen.boot_ms / 1_000);
        Clocks { wall_ahead_s, slept_ms: self.slept_ms }
    }
}

/// Which domain this is. Another id means a migration or a restored image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// `domid` of xenstore.
    pub id: Option<u32>,
    /// `/sys/hypervisor/uuid`.
    pub uuid: Option<Text>,
    /// `/etc/machine-id`.
    pub machine_id: Option<Text>,
}

/// What stops and starts services.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Init {
    /// systemd, which knows the users of a volume.
    Systemd,
    /// sysvinit.
    Sysvinit,
    /// Anything else.
    #[default]
    Unknown,
}

/// "No automatic action", as somebody asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Who: `host`, or the user who ran `xvdguard hold`.
    pub by: Text,
    /// What tells this hold from an earlier one by the same: the content of the node or file.
    pub mark: Text,
    /// Why, where it was said.
    pub why: Option<Text>,
    /// When it ends by itself, in milliseconds since boot.
    pub until_ms: Option<u64>,
}

/// An end that a person asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Release {
    /// Automatic action again.
    Hold,
    /// The volume mounted or once mounted there was seen to by a person.
    Volume(Text),
}

/// What is known of earlier boots: the guard against loops of reboots.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Every record that could be read, the oldest first; those of other machines too.
    pub records: Vec<BootRecord>,
    /// Whether the records lie on a file system whose disks are vbds: one that is made anew at
    /// each boot remembers nothing.
    pub is_lasting: bool,
    /// Why they could not be read, where that is so.
    pub oddity: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_were_read_one_after_the_other_do_not_differ() {
        let before = Clocks { wall_ahead_s: 1_700_000_000, slept_ms: 5_000 };
        let after = |wall_s, slept_ms| {
            let now = Clocks {
                wall_ahead_s: before.wall_ahead_s + wall_s,
                slept_ms: before.slept_ms + slept_ms,
            };
            (now.differ(before), now.has_jumped(before))
        };
        for (wall_s, slept_ms, expected) in [
            (0, 0, (false, false)),
            (1, 10, (false, false)),
            (-1, 0, (false, false)),
            (2, 0, (true, false)),
            (0, 11, (true, false)),
            (60, 1_000, (true, false)),
            (-61, 0, (true, true)),
            (0, 1_001, (true, true)),
        ] {
            assert_eq!(after(wall_s, slept_ms), expected, "{wall_s} s, {slept_ms} ms");
        }
    }
}
