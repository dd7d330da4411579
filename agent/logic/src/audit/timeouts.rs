//! Time-outs, retries and remounts that are written down somewhere and do nothing.
//!
//! xen-blkfront has no request time-out and no retries (no `timeout` in blkfront_mq_ops,
//! drivers/block/xen-blkfront.c), so there is nothing that could be set; and a file system whose
//! journal was aborted takes no remount back to read-write.

use alloc::vec::Vec;

use super::setup::{Line, LineKind};
use super::{Case, Hit, Rule, Severity};
use crate::wording::audit::Said;
use crate::wording::audit::timeouts as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "timeout-attribute-absent",
        severity: Severity::Warning,
        meaning: say::TIMEOUT_ATTRIBUTE_ABSENT,
        look: attribute,
    },
    Rule {
        id: "timeout-sysctl-absent",
        severity: Severity::Warning,
        meaning: say::TIMEOUT_SYSCTL_ABSENT,
        look: sysctl,
    },
    Rule {
        id: "remount-rw-heals-nothing",
        severity: Severity::Warning,
        meaning: say::REMOUNT_RW_HEALS_NOTHING,
        look: remount,
    },
];

/// Attributes of SCSI disks, and of a queue whose driver has a time-out.
const ATTRIBUTES: [&str; 4] =
    ["device/timeout", "device/eh_timeout", "device/max_retries", "queue/io_timeout"];

/// A line that names no disk may be about those that a loop before it names.
fn attribute(case: &Case<'_>) -> Vec<Hit> {
    let has_scsi = case.seen.block.names().any(|name| name.starts_with("sd"));
    let has_any = !case.seen.disks.is_empty();
    hits(case, &[LineKind::Script, LineKind::Udev], |kind, text| {
        let attribute = ATTRIBUTES.into_iter().find(|attribute| text.contains(attribute))?;
        let is_ours = match kind {
            LineKind::Udev => text.contains("KERNEL==\"xvd"),
            _ => text.contains("/xvd") || has_any && !has_scsi,
        };
        is_ours.then(|| say::attribute(attribute))
    })
}

/// `xen.blkfront.timeout`, `dev.xvda.retries`.
fn sysctl(case: &Case<'_>) -> Vec<Hit> {
    hits(case, &[LineKind::Sysctl], |_, text| {
        let name = text.split('=').next().unwrap_or(text).trim();
        let parts = || name.split(['.', '/']);
        let is_disk =
            |part: &str| ["xen", "xvd", "blk", "block"].iter().any(|s| part.starts_with(s));
        (parts().count() > 1 && parts().any(is_disk)).then(|| say::sysctl(name))
    })
}

fn remount(case: &Case<'_>) -> Vec<Hit> {
    hits(case, &[LineKind::Script], |_, text| {
        let is_end = |c: char| c.is_whitespace() || ",\"';()`".contains(c);
        let words: Vec<&str> = text.split(is_end).collect();
        let has_program = words.iter().any(|word| word.rsplit('/').next() == Some("mount"));
        let is_remount = has_program && words.contains(&"remount") && words.contains(&"rw");
        is_remount.then(say::remount)
    })
}

fn hits(
    case: &Case<'_>,
    kinds: &[LineKind],
    judge: impl Fn(LineKind, &str) -> Option<Said>,
) -> Vec<Hit> {
    let lines = case.setup.lines.iter().filter(|line| kinds.contains(&line.kind));
    let hit = |line: &Line| {
        let text = alloc::string::String::from_utf8_lossy(line.text.as_bytes());
        Some(Hit::new(&*line.place, judge(line.kind, &text)?))
    };
    lines.filter_map(hit).collect()
}
