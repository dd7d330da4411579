//! Lines of fstab as a whole, and file systems that carry recorded errors.

use alloc::format;
use alloc::vec::Vec;

use super::{Case, Hit, Rule, Severity};
use crate::fstab::Entry;
use crate::text::Text;
use crate::vbd::Unflushable;
use crate::wording::audit::volumes as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "data-volume-without-nofail",
        severity: Severity::Warning,
        meaning: say::DATA_VOLUME_WITHOUT_NOFAIL,
        look: without_nofail,
    },
    Rule {
        id: "read-only-disk-mounted-rw",
        severity: Severity::Warning,
        meaning: say::READ_ONLY_DISK_MOUNTED_RW,
        look: read_only_disk,
    },
    Rule {
        id: "file-system-has-errors",
        severity: Severity::Warning,
        meaning: say::FILE_SYSTEM_HAS_ERRORS,
        look: has_errors,
    },
    Rule {
        id: "fstab-line-broken",
        severity: Severity::Warning,
        meaning: say::FSTAB_LINE_BROKEN,
        look: broken_line,
    },
];

/// Mount points that belong to the system, also where they have a disk of their own.
const SYSTEM: [&str; 14] = [
    "/",
    "/boot",
    "/boot/efi",
    "/home",
    "/opt",
    "/root",
    "/tmp",
    "/usr",
    "/usr/local",
    "/var",
    "/var/lib",
    "/var/log",
    "/var/spool",
    "/var/tmp",
];

/// Types that are read-only by nature.
const READ_ONLY: [&str; 5] = ["erofs", "iso9660", "romfs", "squashfs", "udf"];

fn without_nofail(case: &Case<'_>) -> Vec<Hit> {
    let root = case.seen.volumes.iter().find(|volume| volume.mount_point == "/");
    let Some(root) = root.filter(|root| !root.disks.is_empty()) else { return Vec::new() };
    let is_data = |entry: &&Entry| {
        let has = |word: &&str| entry.options.has(word);
        let is_system = SYSTEM.iter().any(|place| entry.mount_point == *place);
        let is_placed = entry.mount_point.starts_with("/") && entry.fstype != "swap";
        is_placed && !is_system && !["noauto", "nofail", "bind", "rbind"].iter().any(has)
    };
    let hit = |entry: &Entry| {
        let disks = case.seen.block.bottom(&case.device_of(entry)?);
        let is_apart = !disks.iter().any(|disk| root.disks.contains(disk));
        is_apart
            .then(|| Hit::new(case.line(entry), say::without_nofail(&entry.mount_point, &disks)))
    };
    case.setup.fstab.entries().filter(is_data).filter_map(hit).collect()
}

fn read_only_disk(case: &Case<'_>) -> Vec<Hit> {
    let is_read_only = |name: &Text| {
        let disk = case.seen.disk(name);
        disk.is_some_and(|disk| disk.unflushable() == Some(Unflushable::ReadOnly))
    };
    let writes = |entry: &&Entry| {
        let is_by_nature = READ_ONLY.iter().any(|fstype| entry.fstype == *fstype);
        !is_by_nature && !entry.options.has("ro") && !entry.options.has("noauto")
    };
    let hit = |entry: &Entry| {
        let disks = case.seen.block.bottom(&case.device_of(entry)?);
        let disk = disks.iter().find(|disk| is_read_only(disk))?;
        Some(Hit::new(case.line(entry), say::read_only_disk(&entry.mount_point, disk)))
    };
    case.setup.fstab.entries().filter(writes).filter_map(hit).collect()
}

fn has_errors(case: &Case<'_>) -> Vec<Hit> {
    let counts = case.setup.error_counts.iter().filter(|one| one.count > 0);
    let hit = |one: &super::setup::ErrorCount| {
        let volume = case.seen.volumes.iter().find(|volume| volume.device_name == one.device);
        let mount_point = volume.map(|volume| &volume.mount_point);
        let place = mount_point.map_or_else(|| format!("{}", one.device), |at| format!("{at}"));
        Hit::new(place, say::has_errors(one, mount_point))
    };
    counts.map(hit).collect()
}

fn broken_line(case: &Case<'_>) -> Vec<Hit> {
    let lines = case.setup.fstab.broken_lines();
    lines.map(|one| Hit::new(format!("/etc/fstab:{}", one.line), say::broken_line(&one))).collect()
}
