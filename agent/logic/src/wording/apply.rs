//! What `apply` and `revert` say: what was done, what was undone, why something was not done.

use alloc::format;
use alloc::string::String;

use crate::effect::{Outcome, QueueSetting};
use crate::plan::{LineChange, Remount};
use crate::text::Text;

/// The child that was to remount ended without a word.
pub const NO_ANSWER: &str = "the child that did it ended without an answer";

/// The kernel took the remount and not the option.
pub const OPTION_IGNORED: &str = "the kernel took the remount and not its option";

/// Something else is mounted there by now, or nothing.
pub const MOUNTED_OTHERWISE: &str = "what was to be remounted is no longer mounted there. Do: \
    xvdguard plan";

/// A remount would write to it.
pub const READ_ONLY: &str = "it is mounted read-only by now, and stays as it is";

/// fstab is not what the plan was made from.
pub const FSTAB_CHANGED: &str = "it changed since the plan was made. Do: xvdguard plan";

/// After `revert`.
pub const STAYS_REVERTED: &str = "the daemon leaves fstab alone from now on. Do, if it shall not: \
    xvdguard apply";

/// Below another root than `/` nothing runs that could be changed.
pub const OFFLINE: &str = "queues and mounts are left alone: --root is not the running machine";

/// Units are made of fstab; systemd looks at it again when told to.
pub const NOT_RELOADED: &str = "systemd still knows the old fstab. Do: systemctl daemon-reload";

/// After a failure, behind what failed.
pub const UNDONE: &str = "what was done before is undone";

/// After a failure that could not be undone in full.
pub const LEFT: &str = "not everything could be undone; see above";

/// The file system has counted errors.
pub fn counted_errors(errors: u64) -> String {
    format!(
        "it has counted {errors} errors, and a sick file system is not remounted. Do: umount it \
         and let e2fsck look, or reboot"
    )
}

/// What came of a line of fstab.
pub fn line(change: &LineChange) -> String {
    let LineChange { line, mount_point, old, new, why, .. } = change;
    let shown = |field: &Text| if field.is_empty() { "none".into() } else { format!("{field}") };
    let (old, new) = (shown(old), shown(new));
    format!("/etc/fstab:{line} ({mount_point}): options were {old}, are {new} ({})", why.reason)
}

/// What came of a remount.
pub fn remounted(remount: &Remount, outcome: &Outcome) -> String {
    let (mount_point, option) = (&remount.mount_point, Remount::option(remount.barrier));
    match outcome {
        Outcome::AlreadySo => format!("{mount_point}: has {option} already"),
        _ => format!("{mount_point}: remounted with {option} ({})", remount.why.reason),
    }
}

/// A setting that stays although what followed failed.
pub fn setting_left(setting: &QueueSetting) -> String {
    let QueueSetting { disk, attribute, new, .. } = setting;
    format!(
        "{disk} queue/{attribute}: stays {new}: the disk does not take flushes, and switching them \
         on again would abort journals"
    )
}

/// A setting that was taken back.
pub fn setting_undone(setting: &QueueSetting) -> String {
    let QueueSetting { disk, attribute, old, .. } = setting;
    format!("{disk} queue/{attribute}: undone, is {old} again")
}

/// fstab was taken back.
pub const FSTAB_UNDONE: &str = "/etc/fstab: undone, has its bytes again";

/// A remount was taken back.
pub fn remount_undone(remount: &Remount) -> String {
    let option = Remount::option(!remount.barrier);
    format!("{}: undone, remounted with {option}", remount.mount_point)
}

/// `revert` found nothing to take back.
pub const NOTHING_OF_OURS: &str = "nothing of xvdguard is left to be taken back";

/// `revert` gave the bytes back that fstab had before the first edit.
pub const EXACT: &str = "/etc/fstab: every byte is as before the first edit of xvdguard";

/// `revert` took our lines back among lines that others changed.
pub const ONLY_OURS: &str =
    "/etc/fstab: other lines have changed since; only those of xvdguard were taken back";

/// `revert` took our lines back, and the bytes of before are not kept: an image was copied, say.
pub const NO_ORIGINAL: &str = "/etc/fstab: the lines of xvdguard were taken back; the bytes of \
    before are not in /var/lib/xvdguard to compare with";

/// `revert` refused.
pub const NOT_REVERTED: &str = "nothing is taken back, because somebody changed what xvdguard \
    wrote. Do: decide about these lines, remove the comments, then: xvdguard revert";
