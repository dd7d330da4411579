//! What `plan`, `apply` and `revert` say: why a line changes, why one does not, what waits.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::effect::QueueSetting;
use crate::plan::{ChangeKind, Finding, LineChange, Plan, Remount, RootFlags, Severity};
use crate::policy::{BarrierMode, Chosen};
use crate::text::Text;

/// What is said of something that is seen and not changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// Its rule, in kebab-case.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is so, and why it is left alone.
    pub text: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn said(
    rule: &'static str,
    severity: Severity,
    text: &'static str,
    remedy: &'static str,
) -> Said {
    Said { rule, severity, text, remedy }
}

/// Swap space on a disk that is switched off.
pub const SWAP: Said = said(
    "swap-never-flushes",
    Severity::Info,
    "swap never flushes, so it has no such option",
    "nothing",
);

/// A line that is mounted by hand.
pub const NOAUTO: Said = said(
    "noauto-not-edited",
    Severity::Warning,
    "noauto: mounted by hand or by a program, and not edited",
    "add barrier=0 to its options yourself, or mount it with -o barrier=0",
);

/// A line whose file system is none of ext3 and ext4, or is found out at mount.
pub const OTHER_TYPE: Said = said(
    "type-not-ext3-or-ext4",
    Severity::Info,
    "barrier=0 is an error to every file system but ext3 and ext4, and this line's type is none of \
     them; write_cache switches its flushes off on kernels from 4.7 on",
    "where it is \"auto\" and in truth ext3 or ext4, write that instead",
);

/// A kernel is installed that might not mount it.
pub const UNKNOWN_TO_A_KERNEL: Said = said(
    "option-not-known-everywhere",
    Severity::Warning,
    "not every installed kernel is known to mount this type with barrier=0, so it is not written",
    "remove kernels that are never booted (folders below /lib/modules), or write it yourself",
);

/// An edit of ours that somebody changed.
pub const CHANGED_SINCE: Said = said(
    "own-edit-changed",
    Severity::Warning,
    "a comment \"# xvdguard: was …\" stands above, but the options are no longer those that \
     xvdguard wrote; the lines of this file system are left alone",
    "decide about barrier=0 yourself and remove the comment",
);

/// A line that we changed, without our comment.
pub const COMMENT_GONE: Said = said(
    "own-comment-gone",
    Severity::Warning,
    "xvdguard wrote barrier=0 here, and somebody removed its comment above",
    "remove barrier=0, or keep it and remove /var/lib/xvdguard/edits.json",
);

/// A comment of ours above nothing.
pub const ORPHAN: Said = said(
    "own-comment-left",
    Severity::Info,
    "this comment of xvdguard stands above a line that is no entry any more",
    "remove the comment",
);

/// fstab does not allow the edit; the text comes from the edit.
pub const CANNOT_EDIT: Said =
    said("line-not-editable", Severity::Warning, "", "see above, then: xvdguard plan");

/// A line whose device is not there; the text says where it was looked for.
pub const LOST: Said = said(
    "source-not-found",
    Severity::Warning,
    "",
    "attach the disk or correct the line, then: xvdguard plan",
);

/// fstab is a link, mounted over, being edited; the text says so.
pub const NOT_REPLACEABLE: Said =
    said("fstab-not-replaceable", Severity::Warning, "", "then: xvdguard apply");

/// `rewrite_fstab = "never"` where a line would change; the text names the reason.
pub const NEVER: Said = said(
    "rewrite-never",
    Severity::Info,
    "",
    "nothing, or set rewrite_fstab = \"auto\" in [barrier]",
);

/// Mounted by a unit that somebody wrote.
pub const MOUNT_UNIT: Said = said(
    "mount-unit-not-edited",
    Severity::Warning,
    "this unit mounts an ext3 or ext4 whose flushes are to be switched off; units are not edited",
    "add barrier=0 to its Options= (systemctl edit), then systemctl daemon-reload",
);

/// Mounted, and nothing says by what.
pub const NO_LINE: Said = said(
    "no-line-in-fstab",
    Severity::Warning,
    "an ext3 or ext4 whose flushes are to be switched off is mounted, and fstab has no line for it",
    "add barrier=0 where its options come from",
);

/// Root has options before fstab is read.
pub const ROOT_FLAGS_FOUND: Said = said(
    "rootflags-not-edited",
    Severity::Info,
    "root is first mounted with these, and with fstab's only later; the command line is not edited",
    "where early boot does not run, put barrier=0 there",
);

/// An overlay line beside file systems that are switched off.
pub const OVERLAY: Said = said(
    "overlay-not-edited",
    Severity::Info,
    "overlay has no barrier option: its upper file system decides",
    "nothing",
);

/// All of them, for the manual.
pub const ALL: [Said; 15] = [
    SWAP,
    NOAUTO,
    OTHER_TYPE,
    UNKNOWN_TO_A_KERNEL,
    CHANGED_SINCE,
    COMMENT_GONE,
    ORPHAN,
    CANNOT_EDIT,
    LOST,
    NOT_REPLACEABLE,
    NEVER,
    MOUNT_UNIT,
    NO_LINE,
    ROOT_FLAGS_FOUND,
    OVERLAY,
];

/// Why root flags are advised.
pub const ROOT_FLAGS: &str = "this kernel switches flushes of root off by a mount option only; \
    early boot adds it where its hook is in the image, the kernel command line where it is not";

/// Disks refuse flushes, and this kernel dies of it.
pub fn refused(disks: &[Text], kernel: &Text) -> String {
    let verb = if disks.len() == 1 { "refuses" } else { "refuse" };
    format!("{} {verb} flushes, and a journal aborts of that on kernel {kernel}", list(disks))
}

/// Disks are proven.
pub fn proven(disks: &[Text]) -> String {
    let verb = if disks.len() == 1 { "is" } else { "are" };
    format!("{} {verb} proven: flushes work", list(disks))
}

/// A person chose the mode.
pub fn by_person(mode: &Chosen<BarrierMode>) -> String {
    let price = "; after a power loss of the host, writes that it had not flushed are lost";
    match mode.value {
        BarrierMode::Off => format!("flushes are off by {}{price}", mode.origin),
        _ => format!("flushes are on by {}", mode.origin),
    }
}

/// What `rewrite_fstab = "never"` keeps from happening.
pub fn never(reason: &str) -> String {
    format!("{reason}; barrier=0 is not written because rewrite_fstab = \"never\"")
}

/// Why a line is left alone whose device is not known.
pub fn lost(why: &str) -> String {
    format!("{why}; which disks it lies on is not guessed, and it is not edited")
}

/// fstab has `barrier=0`, the mounted file system not yet: because it is read-only, or because
/// this kernel is fine without.
pub fn set_later(mount_point: &Text, is_needed: bool) -> String {
    let why = if is_needed {
        "it is mounted read-only, and not remounted"
    } else {
        "the running kernel does not need it"
    };
    format!("{mount_point}: barrier=0 comes into force when it is mounted again; {why}")
}

/// fstab has lost `barrier=0`, and the mounted file system keeps it: because it is read-only, or
/// because a flush would fail.
pub fn restored_later(mount_point: &Text, is_well: bool) -> String {
    let why = if is_well {
        "it is mounted read-only, and not remounted"
    } else {
        "a flush would fail now"
    };
    format!("{mount_point}: stays without barriers until it is mounted again; {why}")
}

/// A setting of ours that `revert` cannot take back.
pub fn stays_through(disk: &Text) -> String {
    format!(
        "{disk} queue/write_cache: stays write through until the vbd reconnects; its flushes fail, \
         and sending them would abort journals"
    )
}

/// Why something of ours goes.
pub const REVERT: &str = "what xvdguard wrote is taken back";

fn list(disks: &[Text]) -> String {
    let names: Vec<String> = disks.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// A line of fstab that changes.
pub fn line(change: &LineChange) -> String {
    let LineChange { kind, line, mount_point, old, new, .. } = change;
    let shown =
        |field: &Text| if field.is_empty() { "no options".into() } else { field.to_string() };
    let (kind, old, new) = (kind.word(), shown(old), shown(new));
    format!("{kind:8} /etc/fstab:{line} ({mount_point}): {old} becomes {new}")
}

/// A setting of a queue.
pub fn setting(setting: &QueueSetting) -> String {
    let QueueSetting { disk, attribute, old, new, .. } = setting;
    let kind = setting_kind(setting).word();
    format!("{kind:8} {disk} queue/{attribute}: {old} becomes {new}")
}

/// Whether a setting is ours or takes one of ours back.
pub fn setting_kind(setting: &QueueSetting) -> ChangeKind {
    if setting.switches_flushes_on() { ChangeKind::Restore } else { ChangeKind::Set }
}

/// A remount.
pub fn remount(remount: &Remount) -> String {
    let kind = if remount.barrier { ChangeKind::Restore } else { ChangeKind::Set };
    let (kind, option) = (kind.word(), Remount::option(remount.barrier));
    format!("{kind:8} {}: remount,{option}", remount.mount_point)
}

/// Root flags for a person to set.
pub fn root_flags(flags: &RootFlags) -> String {
    format!("{:8} rootflags={} on the kernel command line: {}", "advice", flags.new, flags.reason)
}

/// What comes into force later.
pub fn later(sentence: &str) -> String {
    format!("{:8} {sentence}", "later")
}

/// Something that is seen and not changed.
pub fn finding(finding: &Finding) -> String {
    let Finding { severity, place, text, remedy, .. } = finding;
    format!("{:8} {place}: {text}. Do: {remedy}", severity.word())
}

/// The end of a plan.
pub fn summary(plan: &Plan) -> String {
    match plan.fstab.len() + plan.queue.len() + plan.remounts.len() {
        0 => "nothing to change".into(),
        1 => "1 change. Do: xvdguard apply".into(),
        count => format!("{count} changes. Do: xvdguard apply"),
    }
}

/// xvdguard is switched off.
pub fn inert(word: &Text) -> String {
    format!("\"{word}\" on the kernel command line: xvdguard changes nothing")
}
