//! What the daemon says while it watches and brings back: what is so, why we think so, what to do.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::disk::Disk;
use crate::effect::QueueSetting;
use crate::recovery::guard::Refusal;
use crate::recovery::memory::{State, Step, VolumeMemory, Why};
use crate::text::Text;

/// An effect that was ordered again and again and never heard of.
pub const LOST: &str = "it was ordered several times, and nobody knows what became of it";

/// Why flushes are switched off for a while.
pub const TROUBLE: &str =
    "its storage is in trouble, and on this kernel a flush that fails aborts a journal";
/// Why they are switched on again.
pub const OVER: &str = "its storage has answered again, and no flush failed meanwhile";
/// Why they are switched off after a migration.
pub const NO_FLUSH_THERE: &str =
    "its new backend offers no flush, and on this kernel the next one would abort a journal";

/// The word of the design for where a volume stands.
pub fn health(state: State) -> &'static str {
    match state {
        State::Healthy => "healthy",
        State::Stalled => "stalled",
        State::Erring => "erring",
        State::Aborted => "aborted",
        State::Recovering(_) => "recovering",
        State::RebootPending(_) => "reboot-pending",
        State::GivenUp(_) => "given-up",
    }
}

/// What happens next to a volume; none where nothing does.
pub fn next(volume: &VolumeMemory, is_held: bool, now_ms: u64) -> Option<String> {
    let text = match volume.state {
        State::Healthy => return None,
        State::Stalled => "waits: it goes on by itself when its storage does",
        State::Erring if volume.is_suspect => {
            "a new file will show whether it takes writes, once its disks answer"
        }
        State::Erring => "healthy again when its disks stay quiet",
        State::Aborted if is_held => "on hold: nothing. Do: xvdguard release",
        State::Aborted => {
            let whose = match volume.by_reboot {
                true => "the disks of all volumes (for root, after half an hour, its own)",
                false => "its disks",
            };
            return Some(format!(
                "waits until {whose} have answered for long enough; a read-only one counts as \
                 silent, until its storage or blockdev --setrw makes it writable"
            ));
        }
        State::Recovering(step) => doing(step),
        State::RebootPending(at_ms) => {
            return Some(format!("reboots the guest in {} s", at_ms.saturating_sub(now_ms) / 1000));
        }
        State::GivenUp(why) => {
            let point = &volume.target.mount_point;
            let remedy = remedy(volume, why);
            return Some(format!("Do: {remedy}. Seen to otherwise: xvdguard release {point}"));
        }
    };
    Some(text.into())
}

fn doing(step: Step) -> &'static str {
    match step {
        Step::Confirm => "a new file shows whether it takes writes",
        Step::Verify => "its super block is compared",
        Step::List => "systemd is asked who uses it",
        Step::Stop => "its users are stopped",
        Step::Umount => "it is unmounted",
        Step::Free => "its device is looked at: is it free?",
        Step::Fsck => "it is checked",
        Step::Mount => "it is mounted",
        Step::Probe => "a new file shows whether it takes writes again",
        Step::Start | Step::PutBack => "its users are started",
    }
}

fn evidence(volume: &VolumeMemory) -> String {
    match volume.evidence.first() {
        Some(evidence) => format!(" ({}: {})", evidence.source, evidence.text),
        None => String::new(),
    }
}

/// A stall has begun.
pub fn stalled(volume: &VolumeMemory) -> String {
    let point = &volume.target.mount_point;
    format!(
        "{point}: stalled: its storage neither answers nor fails. Nothing is done: it goes on by \
         itself"
    )
}

/// A volume is dead.
pub fn aborted(volume: &VolumeMemory) -> String {
    let point = &volume.target.mount_point;
    format!("{point}: aborted{}. xvdguard waits until its disks answer", evidence(volume))
}

/// An incident is over without our doing.
pub fn healthy(volume: &VolumeMemory) -> String {
    format!("{}: healthy{}", volume.target.mount_point, evidence(volume))
}

/// An incident is over, by our doing.
pub fn recovered(volume: &VolumeMemory) -> String {
    let point = &volume.target.mount_point;
    let users = names(&volume.stopped);
    match users.is_empty() {
        true => format!("{point}: mounted anew and healthy{}", evidence(volume)),
        false => format!("{point}: mounted anew and healthy, {users} started{}", evidence(volume)),
    }
}

fn names(units: &[Text]) -> String {
    units.iter().map(Text::to_string).collect::<Vec<_>>().join(", ")
}

/// The command that starts them.
fn start(units: &[Text]) -> String {
    let units: Vec<String> = units.iter().map(Text::to_string).collect();
    format!("systemctl start {}", units.join(" "))
}

/// Healthy, and yet somebody has to come.
pub fn not_started(volume: &VolumeMemory) -> String {
    let (point, start) = (&volume.target.mount_point, start(&volume.stopped));
    format!("{point}: healthy again, but not all of its users started. Do: {start}")
}

/// The guest will reboot.
pub fn pending(volume: &VolumeMemory, in_ms: u64) -> String {
    let point = &volume.target.mount_point;
    let seconds = in_ms.div_ceil(1000);
    format!(
        "{point}: the guest reboots in {seconds} s, since it is dead{} and its storage answers \
         again. To prevent it: xvdguard hold",
        evidence(volume)
    )
}

/// Why the keeper reboots.
pub fn reason(volumes: &[VolumeMemory]) -> String {
    let dead: Vec<String> = volumes
        .iter()
        .filter(|volume| matches!(volume.state, State::RebootPending(_)))
        .map(|volume| format!("{} is dead{}", volume.target.mount_point, evidence(volume)))
        .collect();
    format!("xvdguard: {}", dead.join("; "))
}

/// A reboot that the guard does not allow.
pub(crate) fn refused(volume: &VolumeMemory, refusal: Refusal) -> String {
    let why = match refusal {
        Refusal::NotLasting => {
            "the records of earlier boots do not lie on a disk that lasts".to_owned()
        }
        Refusal::NoRecord => "this boot is not on record".to_owned(),
        Refusal::NoEarlier => "no earlier boot of this guest is on record".to_owned(),
        Refusal::Spent(count) => format!("{count} boots have not ended well"),
    };
    let point = &volume.target.mount_point;
    format!(
        "{point}: given-up: only a reboot heals it, and none is made: {why}{}. Do: reboot, when it \
         suits you",
        evidence(volume)
    )
}

/// Left to a person.
pub fn given_up(volume: &VolumeMemory, why: Why) -> String {
    let point = &volume.target.mount_point;
    let last = match volume.evidence.last() {
        Some(last) if volume.evidence.len() > 1 => format!(" {}.", last.text),
        _ => String::new(),
    };
    let stopped = match names(&volume.stopped) {
        units if units.is_empty() => units,
        units => format!(" Stopped and not started again: {units}."),
    };
    format!(
        "{point}: given-up: {}{}.{last}{stopped} Do: {}",
        reason_of(why),
        evidence(volume),
        remedy(volume, why)
    )
}

fn reason_of(why: Why) -> &'static str {
    match why {
        Why::Policy => "it is dead, and the policy says to report it",
        Why::Shared => "it is dead, and others may have it mounted too",
        Why::Burdened => "it is dead, and exported, snapshotted, or home of swap or containers",
        Why::UnknownType => "it is dead, and xvdguard does not know how its type is checked",
        Why::ManyMounts => "it is dead, and mounted more than once or below others",
        Why::Unverified => "its super block cannot be compared with that of its mount",
        Why::Different => "what came back is not what was there",
        Why::Users => "it is used by what must not or cannot be stopped",
        Why::NotStopped => "its users did not stop",
        Why::Busy => "somebody holds it",
        Why::Fsck => "its check needs a person",
        Why::NotMounted => "it could not be mounted",
        Why::Unmounted => "somebody unmounted it while it was brought back",
        Why::StillDead => "it was mounted anew and takes no writes",
        Why::Contradiction => "it looks dead and takes writes, which cannot be",
        Why::Hung => "a step hangs and cannot be ended",
        Why::TooOften => "it was brought back too often",
        Why::Guard => "only a reboot heals it, and none is made",
        Why::RootDead => "it is dead, and so is the root file system",
        Why::NoReboot => "the reboot could not be begun",
    }
}

fn remedy(volume: &VolumeMemory, why: Why) -> String {
    let point = &volume.target.mount_point;
    let device = &volume.target.device_name;
    match why {
        Why::Guard | Why::NoReboot | Why::RootDead | Why::Hung => "reboot".into(),
        Why::Different => format!("look at what /dev/{device} is now before anything mounts it"),
        Why::Unmounted if volume.stopped.is_empty() => format!("mount {point}"),
        Why::Unmounted => format!("mount {point}; {}", start(&volume.stopped)),
        Why::Shared => "ask those who share it".into(),
        Why::Contradiction => format!("look at {point}, then xvdguard release {point}"),
        _ if volume.target.mount_point == "/" => "reboot".into(),
        _ if volume.target.fstype.starts_with("ext") => {
            format!("stop its users; umount {point}; e2fsck -f /dev/{device}; mount {point}")
        }
        _ => format!("stop its users; umount {point}; mount {point}"),
    }
}

/// It has waited for long.
pub fn waits_long(volume: &VolumeMemory, is_held: bool) -> String {
    let point = &volume.target.mount_point;
    let what = if is_held {
        "on hold. Do: xvdguard release"
    } else {
        "waiting, mostly for the storage. Do: look at the host; xvdguard status tells more"
    };
    let health = health(volume.state);
    format!("{point}: {health} for half an hour{}, and {what}", evidence(volume))
}

/// Who stands in the way.
pub fn users(others: &[String], units: &[&Text]) -> String {
    let units = units.iter().map(|unit| format!("{unit} must not be stopped"));
    others.iter().cloned().chain(units).collect::<Vec<_>>().join("; ")
}

/// A setting was made.
pub fn sets(disk: &Disk, to: &str, reason: &str) -> String {
    format!("{}: write_cache is set to {to}: {reason}", disk.name)
}

/// A setting could not be made.
pub fn not_set(setting: &QueueSetting) -> String {
    format!("{}: write_cache could not be set to {}", setting.disk, setting.new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_waited_for_is_named() {
        let waits = |by_reboot| {
            let volume =
                VolumeMemory { state: State::Aborted, by_reboot, ..VolumeMemory::default() };
            next(&volume, false, 0).unwrap_or_default()
        };
        assert!(waits(false).starts_with("waits until its disks have answered"));
        assert!(waits(true).starts_with("waits until the disks of all volumes (for root"));
    }
}
