//! What `rehearse` and `plan --recovery` say.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::recovery::effects::{Deed, Outcome, Target};
use crate::text::Text;

/// One step that was tried.
pub struct Line {
    /// Whether a recovery could rely on it.
    pub is_good: bool,
    /// For people.
    pub text: String,
}

/// What came of a step.
pub fn tried(deed: &Deed, outcome: &Outcome) -> Line {
    let what = match deed {
        Deed::AskDisk(disk) => format!("{disk} answers a direct read"),
        Deed::ReadIdentity(_) => "its super block can be told from another one".into(),
        Deed::ListUsers(_) => "all of its users can be stopped by unit".into(),
        _ => "it takes a new file".into(),
    };
    let (is_good, more) = match outcome {
        Outcome::Done | Outcome::AlreadySo => (true, String::new()),
        Outcome::Identity(identity) => (!identity.is_shared, format!(" ({})", identity.uuid)),
        Outcome::Users(users) => (users.others.is_empty(), format!(": {}", list(outcome))),
        Outcome::Failed(failure) => (false, format!(": {}", failure.text)),
        Outcome::TimedOut => (false, ": no answer in time".into()),
    };
    let mark = if is_good { "ok" } else { "NO" };
    Line { is_good, text: format!("{mark}  {what}{more}") }
}

/// A program that is not there.
pub fn missing(what: &str) -> String {
    format!("NO  {what}")
}

/// The last line.
pub fn end(is_good: bool) -> &'static str {
    match is_good {
        true => "a recovery would find everything it needs; nothing was stopped or unmounted",
        false => "a recovery would hand this volume over to you; see the lines marked NO",
    }
}

/// The steps of a recovery, in order.
pub fn plan(target: &Target, users: &Outcome) -> Vec<String> {
    let Target { mount_point, device_name, fstype, .. } = target;
    let check = match fstype.as_str() {
        Some("xfs" | "btrfs") => format!("mount replays the log of {device_name}"),
        _ => format!("e2fsck -p /dev/{device_name}"),
    };
    Vec::from([
        format!("if the journal of {mount_point} is aborted and its storage answers again:"),
        "  1. compare its super block with the one seen while it was healthy".into(),
        format!("  2. stop {}", list(users)),
        format!("  3. umount {mount_point}"),
        format!("  4. see that /dev/{device_name} is free"),
        format!("  5. {check}"),
        format!("  6. mount {mount_point} where and as it was"),
        "  7. write a new file and sync it".into(),
        "  8. start again what was stopped".into(),
    ])
}

fn list(users: &Outcome) -> String {
    let Outcome::Users(users) = users else { return "(its users are not known)".into() };
    let units = users.units.iter().map(Text::to_string);
    let others = users.others.iter().map(|other| format!("{other} (cannot be stopped by unit)"));
    let all: Vec<String> = units.chain(others).collect();
    if all.is_empty() { "nobody: it has no users now".into() } else { all.join(", ") }
}
