//! Names of disks that this machine does not have: what is left after a guest has moved between
//! Xen (`xvda`), KVM (`vda`) and others (`sda`, `hda`).
//!
//! A name counts as left over only where no disk of its kind is here and one of another kind is.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::setup::{Line, LineKind, Word};
use super::{Case, Hit, Rule, Severity};
use crate::fstab::Entry;
use crate::text::Text;
use crate::wording::audit::names as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "fstab-names-absent-disk",
        severity: Severity::Critical,
        meaning: say::FSTAB_NAMES_ABSENT_DISK,
        look: in_fstab,
    },
    Rule {
        id: "root-names-absent-disk",
        severity: Severity::Critical,
        meaning: say::ROOT_NAMES_ABSENT_DISK,
        look: in_root_words,
    },
    Rule {
        id: "device-map-names-absent-disk",
        severity: Severity::Warning,
        meaning: say::DEVICE_MAP_NAMES_ABSENT_DISK,
        look: in_device_map,
    },
    Rule {
        id: "initrd-lacks-disk-driver",
        severity: Severity::Warning,
        meaning: say::INITRD_LACKS_DISK_DRIVER,
        look: in_initrd_modules,
    },
    Rule {
        id: "udev-rule-names-absent-disk",
        severity: Severity::Info,
        meaning: say::UDEV_RULE_NAMES_ABSENT_DISK,
        look: in_udev_rules,
    },
];

/// How names of disks begin, by who serves them: Xen, virtio, SCSI and its emulations, IDE.
const KINDS: [&str; 4] = ["xvd", "vd", "sd", "hd"];

fn in_fstab(case: &Case<'_>) -> Vec<Hit> {
    let waited_for =
        |entry: &&Entry| !["noauto", "nofail"].iter().any(|word| entry.options.has(word));
    let entries = case.setup.fstab.entries().filter(waited_for);
    let hit = |entry: &Entry| {
        let absent = Absent::of(case, &entry.source)?;
        let said = say::in_fstab(&entry.source, &absent.likely);
        Some(Hit::new(format!("/etc/fstab:{}", entry.line), said))
    };
    entries.filter_map(hit).collect()
}

/// The running kernel found its root by whatever its own line says.
fn in_root_words(case: &Case<'_>) -> Vec<Hit> {
    let running = crate::command_line::KernelWords::parse(&case.seen.command_line).root;
    let mut hits = Vec::new();
    for line in &case.setup.kernel_lines {
        let is_root = |word: &&Word| word.name == "root" && word.value != running;
        for word in line.words.iter().filter(is_root) {
            let Some(value) = &word.value else { continue };
            let Some(absent) = Absent::of(case, value) else { continue };
            hits.push(Hit::new(&*line.place, say::in_root_word(value, &absent.likely)));
        }
    }
    hits
}

fn in_device_map(case: &Case<'_>) -> Vec<Hit> {
    let lines = case.setup.lines.iter().filter(|line| line.kind == LineKind::DeviceMap);
    let hit = |line: &Line| {
        let text = line.text.as_str()?;
        let device = text.split_ascii_whitespace().find(|word| word.starts_with("/dev/"))?;
        let absent = Absent::of(case, &Text::from(device))?;
        Some(Hit::new(&*line.place, say::in_device_map(device, &absent.likely)))
    };
    lines.filter_map(hit).collect()
}

/// Modules that drive disks, by the kind of their names (SUSE's and mainline's).
const DRIVERS: [(&str, &[&str]); 2] = [
    ("xvd", &["xenblk", "xen-blkfront", "xen_blkfront", "xenvbd", "xen-vbd"]),
    ("vd", &["virtio_blk", "virtio-blk"]),
];

/// `INITRD_MODULES` that drives disks of another kind, and none of those that are here.
fn in_initrd_modules(case: &Case<'_>) -> Vec<Hit> {
    let here = kinds_here(case);
    let lines = case.setup.lines.iter().filter(|line| line.kind == LineKind::Initrd);
    let hit = |line: &Line| {
        let (name, modules) = line.text.as_str()?.split_once('=')?;
        let modules = modules.trim_matches(['"', '\'']);
        let drives = |drivers: &[&str]| modules.split(' ').any(|one| drivers.contains(&one));
        let (driven, idle): (Vec<_>, Vec<_>) =
            DRIVERS.iter().partition(|(kind, _)| here.contains(kind));
        let (_, wanted) = driven.first()?;
        let is_left_over = idle.iter().any(|(_, drivers)| drives(drivers));
        let lacks = name == "INITRD_MODULES" && is_left_over && !drives(wanted);
        lacks.then(|| Hit::new(&*line.place, say::in_initrd_modules(wanted[0])))
    };
    lines.filter_map(hit).collect()
}

/// `KERNEL=="sd*"`: where all names that it means are of one kind.
fn in_udev_rules(case: &Case<'_>) -> Vec<Hit> {
    let lines = case.setup.lines.iter().filter(|line| line.kind == LineKind::Udev);
    let hit = |line: &Line| {
        let text = line.text.as_str()?;
        let pattern = text.split("KERNEL==\"").nth(1)?.split('"').next()?;
        let kinds: Option<Vec<&str>> = pattern.split('|').map(kind_of).collect();
        let here = kinds_here(case);
        let is_idle = !here.is_empty() && kinds?.iter().all(|kind| !here.contains(kind));
        let likely = here.first()?;
        is_idle.then(|| Hit::new(&*line.place, say::in_udev_rule(pattern, likely)))
    };
    lines.filter_map(hit).collect()
}

/// A name of which this machine has no disk.
struct Absent {
    /// What it is probably called here, where that exists.
    likely: Option<String>,
}

impl Absent {
    fn of(case: &Case<'_>, source: &Text) -> Option<Absent> {
        let name = source.as_str()?.strip_prefix("/dev/")?;
        let kind = kind_of(name)?;
        let here = kinds_here(case);
        if here.is_empty() || here.contains(&kind) {
            return None;
        }
        let tail = name.strip_prefix(kind)?;
        let named = here.iter().map(|other| format!("{other}{tail}"));
        let likely = named.into_iter().find(|name| has(case, &Text::from(name.as_str())));
        Some(Absent { likely: likely.map(|name| format!("/dev/{name}")) })
    }
}

fn has(case: &Case<'_>, name: &Text) -> bool {
    case.seen.block.by_name(name).is_some()
}

/// The kinds of disk that are here.
fn kinds_here(case: &Case<'_>) -> Vec<&'static str> {
    let names: Vec<String> = case.seen.block.names().map(Text::to_string).collect();
    let is_here = |kind: &&str| names.iter().any(|name| kind_of(name) == Some(*kind));
    KINDS.into_iter().filter(is_here).collect()
}

/// `xvda2` → `xvd`: the kind, letters, then a partition or the end; `*` and its like may follow in
/// patterns.
fn kind_of(name: &str) -> Option<&'static str> {
    let kind = KINDS.into_iter().find(|kind| name.starts_with(kind))?;
    let tail = &name.as_bytes()[kind.len()..];
    let is_pattern = tail.iter().any(|byte| matches!(byte, b'*' | b'?' | b'['));
    let is_disk = tail.first().is_some_and(u8::is_ascii_lowercase)
        && tail.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (is_pattern || is_disk).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_told_from_what_only_begins_like_one() {
        for (name, expected) in [
            ("xvda", Some("xvd")),
            ("xvdaa12", Some("xvd")),
            ("vda1", Some("vd")),
            ("sdb", Some("sd")),
            ("hdc", Some("hd")),
            ("sd*", Some("sd")),
            ("xvd[a-d]", Some("xvd")),
            ("sdx-data", None),
            ("vd", None),
            ("vg0/root", None),
            ("disk/by-uuid/1", None),
        ] {
            assert_eq!(kind_of(name), expected, "{name}");
        }
    }
}
