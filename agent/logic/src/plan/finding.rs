//! What the plan sees and does not change: lines that it may not edit, and what is not in fstab.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::slice;

use super::wish::Wish;
use super::{Situation, is_ext3_or_ext4, units};
use crate::command_line::KernelWords;
pub use crate::finding::{Finding, Severity};
use crate::fstab::{EditError, Entry, OwnEditState};
use crate::volume::Volume;
use crate::wording::plan::{self as wording, Said};

impl Finding {
    pub(super) fn new(place: impl Into<String>, said: Said) -> Finding {
        let Said { rule, severity, text, remedy } = said;
        Finding { rule, severity, place: place.into(), text: text.into(), remedy: remedy.into() }
    }

    /// About a line of fstab.
    pub(super) fn at(entry: &Entry, said: Said) -> Finding {
        Finding::new(format!("/etc/fstab:{} ({})", entry.line, entry.mount_point), said)
    }

    pub(super) fn never(entry: &Entry, reason: &str) -> Finding {
        Finding { text: wording::never(reason), ..Finding::at(entry, wording::NEVER) }
    }

    /// fstab cannot be replaced as it is; the text says why and what to do.
    pub fn not_replaceable(text: String) -> Finding {
        Finding { text, ..Finding::new("/etc/fstab", wording::NOT_REPLACEABLE) }
    }

    pub(super) fn cannot_edit(error: EditError) -> Finding {
        let place = format!("/etc/fstab:{}", error.line);
        Finding {
            text: crate::wording::fstab::edit_error(error),
            ..Finding::new(place, wording::CANNOT_EDIT)
        }
    }
}

/// What is not said by a line of fstab that the plan looked at.
pub(super) fn beside_fstab(situation: &Situation<'_>) -> Vec<Finding> {
    let mut findings = orphans(situation);
    findings.extend(lost(situation));
    let wants_off = |volume: &&Volume| {
        is_ext3_or_ext4(&volume.fstype)
            && matches!(situation.wish(Some(&volume.disks)), Wish::SwitchOff(_))
    };
    let volumes: Vec<&Volume> = situation.seen.volumes.iter().filter(wants_off).collect();
    findings.extend(volumes.iter().filter_map(|volume| without_line(situation, volume)));
    findings.extend(volumes.iter().filter_map(|volume| root_flags(situation, volume)));
    if !volumes.is_empty() {
        findings.extend(overlays(situation));
    }
    findings
}

/// Comments of ours above something that is no entry any more.
pub(super) fn orphans(situation: &Situation<'_>) -> Vec<Finding> {
    let own = situation.fstab.own_edits();
    let orphans = own.iter().filter(|own| own.state == OwnEditState::Orphaned);
    let place = |line: usize| format!("/etc/fstab:{line}");
    orphans.map(|own| Finding::new(place(own.comment_line), wording::ORPHAN)).collect()
}

/// Lines that might have to change, if their device were known.
fn lost(situation: &Situation<'_>) -> Vec<Finding> {
    let may_be_off = situation.reports.iter().any(|report| {
        matches!(situation.wish(Some(slice::from_ref(&report.name))), Wish::SwitchOff(_))
    });
    let lost = situation.lost.iter().filter(|_| may_be_off);
    let lost = lost.filter_map(|(line, why)| {
        let entry = situation.fstab.entry(*line)?;
        let is_ours = is_ext3_or_ext4(&entry.fstype) && !entry.options.has("noauto");
        let finding = || Finding { text: wording::lost(why), ..Finding::at(entry, wording::LOST) };
        is_ours.then(finding)
    });
    lost.collect()
}

/// Mounted by a unit, an automounter or by hand.
fn without_line(situation: &Situation<'_>, volume: &Volume) -> Option<Finding> {
    let Situation { fstab, carriers, mount_units, .. } = situation;
    let has_line = fstab.entries().any(|entry| {
        carriers.get(&entry.line) == Some(&volume.device_name)
            || entry.mount_point == volume.mount_point
    });
    if has_line {
        return None;
    }
    let unit = units::name(&volume.mount_point);
    let said = match mount_units.contains(&unit) {
        true => Finding::new(unit.to_string(), wording::MOUNT_UNIT),
        false => Finding::new(volume.mount_point.to_string(), wording::NO_LINE),
    };
    Some(said)
}

/// Root is mounted with these before fstab is read.
fn root_flags(situation: &Situation<'_>, volume: &Volume) -> Option<Finding> {
    let flags = KernelWords::parse(&situation.seen.command_line).root_flags?;
    let place = || format!("rootflags={flags} on the kernel command line");
    (volume.mount_point == "/").then(|| Finding::new(place(), wording::ROOT_FLAGS_FOUND))
}

fn overlays(situation: &Situation<'_>) -> Vec<Finding> {
    let entries = situation.fstab.entries();
    let overlays = entries.filter(|entry| entry.fstype == "overlay" || entry.fstype == "overlayfs");
    overlays.map(|entry| Finding::at(entry, wording::OVERLAY)).collect()
}
