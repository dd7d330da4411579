//! What the daemon says of itself.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::recovery::health;
use crate::recovery::memory::{Memory, State, VolumeMemory};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;

/// It cannot be worked without: whoever reads it takes it away.
pub const REMOVE_MEMORY: &str = "remove it; the daemon looks at everything anew";

/// A configuration that is wrong at start: what the administrator wants is not known.
pub const REPORTS_ONLY: &str = "the configuration is wrong, so nothing is known of what may be \
    done: this daemon watches and reports only. Do: xvdguard config check, then systemctl reload \
    xvdguard";

/// The same while running.
pub const OLD_SETTINGS: &str = "the configuration is wrong; what was in force stays in force. Do: \
    xvdguard config check, then systemctl reload xvdguard";

/// A reload went well.
pub const RELOADED: &str = "the configuration was read again";

/// A daemon that hears nothing of its host until it is connected again.
pub fn xenstore_lost(why: &str) -> String {
    format!(
        "the connection to xenstore broke ({why}); it is made anew with the next tick at the \
         latest. Do: nothing; if this is said again and again, look at xenstored on the host"
    )
}

/// SIGTERM came while users are stopped.
pub const STOPS_LATER: &str = "asked to stop amid a recovery: it is brought to its end first, \
    which may take 14 minutes. Do: nothing; xvdguard status shows how far it is";

/// The daemon ends although a recovery has not.
pub fn stops_amid(mount_point: &Text) -> String {
    format!(
        "{mount_point}: the daemon ends amid its recovery: it may be unmounted and its users \
         stopped. Do: start xvdguard again, which goes on where this one was"
    )
}

/// Another one has the lock.
pub const ONE_IS_ENOUGH: &str = "another daemon runs already; see xvdguard status";

/// It sits in somebody else's machine.
pub const CONTAINED: &str = "in a container or a chroot: xvdguard belongs into the guest itself";

/// What a person on a terminal reads.
pub fn to_a_terminal(text: &str) -> String {
    format!("xvdguard: {text}")
}

/// A disk that was to be written to.
pub const NO_ANSWER: &str = "no answer in time";

/// The evidence bundle of an incident was written.
pub fn bundle_kept(mount_point: &Text, path: &str) -> String {
    format!("{mount_point}: what was seen and done is kept in {path}")
}

/// The recording of the daemon's turns was written.
pub fn recording_kept(mount_point: &Text, path: &str) -> String {
    format!("{mount_point}: to step through what was decided: xvdguard replay {path}")
}

/// It could not be.
pub fn bundle_not_kept(path: &str, why: &str, is_last: bool) -> String {
    let then = if is_last { "it is lost" } else { "it goes to /run, until the next reboot" };
    format!("cannot keep {path}: {why}; {then}")
}

/// What is added to an alert.
pub fn with_bundle(text: &str, path: &str) -> String {
    format!("{}. Evidence: {path}", text.trim_end_matches('.'))
}

/// fstab was brought into line with what the backends do.
pub const FSTAB_PERSISTED: &str = "this boot is healthy, so /etc/fstab follows the barrier policy \
    (rewrite_fstab = \"auto\"); to take it back: xvdguard revert, and rewrite_fstab = \"never\"";

/// It could not be.
pub fn fstab_not_persisted(why: &str) -> String {
    format!("cannot bring /etc/fstab into line with the barrier policy: {why}. Do: xvdguard plan")
}

/// The boot before this one has no end.
pub fn ended_badly(began: &str) -> String {
    format!(
        "the last boot, begun {began}, did not end in order: a power cut, a crash, or a reboot by \
         xvdguard because root was dead. Do: read what the host kept of this guest's console; \
         evidence of a dead root may be in .xvdguard/record of another volume"
    )
}

/// Something that will be missing when it is needed.
pub fn missing(what: &str) -> String {
    format!("will have to do without: {what}")
}

/// `Status:` of `systemctl status`.
pub fn sentence(disks: &[DiskReport], memory: &Memory) -> String {
    let mut parts = Vec::new();
    parts.push(disk_part(disks));
    parts.push(volume_part(&memory.volumes));
    parts.extend(memory.hold.as_ref().map(|hold| format!("on hold by {}", hold.by)));
    if memory.is_rebooting {
        parts.push("rebooting".into());
    }
    parts.join("; ")
}

fn disk_part(disks: &[DiskReport]) -> String {
    let proven = disks.iter().filter(|disk| disk.verdict == FlushVerdict::Proven).count();
    let bad = |disk: &&DiskReport| {
        matches!(disk.verdict, FlushVerdict::Refused | FlushVerdict::Failing | FlushVerdict::Lost)
    };
    let bad: Vec<String> =
        disks.iter().filter(bad).map(|disk| format!("{} {}", disk.name, disk.verdict)).collect();
    let total = format!("{}: {proven} proven", counted(disks.len(), "disk"));
    if bad.is_empty() { total } else { format!("{total}, {}", bad.join(", ")) }
}

fn volume_part(volumes: &[VolumeMemory]) -> String {
    let healthy = volumes.iter().filter(|volume| volume.state == State::Healthy).count();
    let others = volumes.iter().filter(|volume| volume.state != State::Healthy);
    let others: Vec<String> = others
        .map(|volume| format!("{} {}", volume.target.mount_point, health(volume.state)))
        .collect();
    let total = format!("{}: {healthy} healthy", counted(volumes.len(), "volume"));
    if others.is_empty() { total } else { format!("{total}, {}", others.join(", ")) }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
