//! What may be done about a volume at all: what it is, and what the policy says of it.
//!
//! Decided anew in each turn from what is seen; in doubt a person decides.

use alloc::collections::BTreeSet;

use super::memory::{VolumeMemory, Why};
use super::turn::Turn;
use super::world::VolumeSeen;
use crate::mountinfo::Mount;
use crate::observation::Observation;
use crate::order;
use crate::policy::Origin;
use crate::policy::settings::MountRule;
use crate::policy::word::{Action, RootAction};
use crate::text::Text;

/// What may be done about a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Nothing: it is read-only by its kind or by intention.
    NotOurs,
    /// It is reported, and why no more than that.
    Report(Why),
    /// Its users are stopped, it is unmounted, checked and mounted.
    Recover,
    /// The guest is rebooted.
    Reboot,
}

/// File systems that are never written to.
const READ_ONLY: [&str; 6] = ["squashfs", "iso9660", "udf", "erofs", "cramfs", "romfs"];

/// File systems that several guests may have mounted.
const CLUSTER: [&str; 3] = ["gfs2", "ocfs2", "lustre"];

/// What a running system cannot be without: a volume that holds one of them cannot be unmounted.
const CORE: [&str; 8] =
    ["/", "/etc", "/usr", "/usr/bin", "/usr/lib", "/usr/sbin", "/var", "/var/lib"];

/// How a file system is brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repair {
    /// Checked, then mounted.
    Check,
    /// Mounted: its mount replays the log (xfs(5), btrfs(5)).
    Mount,
}

/// How a file system of this type is brought back, where that is known.
pub(crate) fn repair(fstype: &Text) -> Option<Repair> {
    match fstype.as_str() {
        Some("ext2" | "ext3" | "ext4") => Some(Repair::Check),
        Some("xfs" | "btrfs") => Some(Repair::Mount),
        _ => None,
    }
}

/// Whether that mount point is the root of the file system.
pub(crate) fn is_root(volume: &VolumeMemory) -> bool {
    volume.target.mount_point == "/"
}

/// What may be done about this volume.
pub(crate) fn role(turn: &Turn<'_>, volume: &VolumeMemory, seen: Option<&VolumeSeen>) -> Role {
    let fstype = &volume.target.fstype;
    if !volume.was_writable || READ_ONLY.iter().any(|one| *fstype == *one) {
        return Role::NotOurs;
    }
    let rule = turn.settings.recovery.mounts.get(&volume.target.mount_point);
    if let Some(why) = always_reported(turn, volume, rule) {
        return Role::Report(why);
    }
    let named = rule.filter(|rule| rule.action.origin != Origin::Default);
    let action = named.map(|rule| rule.action.value);
    if is_root(volume) || (is_like_root(turn, volume, seen) && action != Some(Action::Recover)) {
        return match turn.settings.reboot.root.value {
            RootAction::Reboot => Role::Reboot,
            RootAction::Report => Role::Report(Why::Policy),
        };
    }
    if action == Some(Action::Reboot) {
        return Role::Reboot;
    }
    if named.is_none() && seen.is_some_and(|seen| !seen.burdens.is_empty()) {
        return Role::Report(Why::Burdened);
    }
    match (action.unwrap_or(turn.settings.recovery.default.value), repair(fstype)) {
        (Action::Report, _) => Role::Report(Why::Policy),
        (_, None) => Role::Report(Why::UnknownType),
        (Action::Reboot, _) => Role::Reboot,
        (Action::Recover, _) => Role::Recover,
    }
}

/// Where a person or the disk itself says to leave it alone.
fn always_reported(
    turn: &Turn<'_>,
    volume: &VolumeMemory,
    rule: Option<&MountRule>,
) -> Option<Why> {
    let is_multi_attached = |name: &Text| {
        let vbd = turn.world.seen.disk(name).and_then(|disk| disk.vbd.as_ref());
        let mode = vbd.and_then(|vbd| vbd.backend.text("mode"));
        mode.is_some_and(|mode| mode.contains("!"))
    };
    let is_shared = rule.is_some_and(|rule| rule.shared.value)
        || CLUSTER.iter().any(|one| volume.target.fstype == *one)
        || volume.identity.as_ref().is_some_and(|identity| identity.is_shared)
        || volume.disks.iter().any(is_multi_attached);
    if is_shared {
        return Some(Why::Shared);
    }
    let is_report = rule.is_some_and(|rule| {
        rule.action.value == Action::Report && rule.action.origin != Origin::Default
    });
    is_report.then_some(Why::Policy)
}

/// Whether the system cannot be without it.
fn is_like_root(turn: &Turn<'_>, volume: &VolumeMemory, seen: Option<&VolumeSeen>) -> bool {
    let holds = seen.is_some_and(|seen| seen.holds_core_files);
    holds || turn.core.contains(&volume.target.mount_point)
}

/// The mount points that hold what a running system cannot be without.
pub(crate) fn core(seen: &Observation) -> BTreeSet<Text> {
    let mounts = CORE.iter().filter_map(|path| holder(seen, path));
    order::gather(mounts.map(|mount| mount.mount_point.clone()))
}

/// The mount that a path lies on: the one with the longest mount point above it.
fn holder<'a>(seen: &'a Observation, path: &str) -> Option<&'a Mount> {
    let is_above = |mount: &&Mount| {
        let point = mount.mount_point.as_bytes();
        let rest = path.as_bytes().strip_prefix(point);
        rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'/' || point == b"/")
    };
    seen.mounts.iter().filter(is_above).max_by_key(|mount| mount.mount_point.len())
}

#[cfg(test)]
mod tests;
