//! The stages of the boot: whether ours ran before root was mounted, whether root was checked.

use alloc::vec::Vec;

use super::{Case, Hit, Rule, Severity, words};
use crate::command_line::KernelWords;
use crate::verdict::report::Report;
use crate::wording::audit::boot as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "early-stage-not-run",
        severity: Severity::Critical,
        meaning: say::EARLY_STAGE_NOT_RUN,
        look: early_not_run,
    },
    Rule {
        id: "early-stage-after-root",
        severity: Severity::Warning,
        meaning: say::EARLY_STAGE_AFTER_ROOT,
        look: early_after_root,
    },
    Rule {
        id: "no-fsck-in-initramfs",
        severity: Severity::Warning,
        meaning: say::NO_FSCK_IN_INITRAMFS,
        look: no_fsck,
    },
];

/// The tool that writes the report of the early stage.
const EARLY: &str = "xvdguard-early";

/// Why the early stage did not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause<'a> {
    /// `xvdguard=off`.
    Inert,
    /// No hook and no unit of ours is installed.
    NoHook,
    /// The running kernel is not installed here: the host supplies it, and the ramdisk.
    HostsKernel,
    /// This guest boots without an initramfs.
    NoInitramfs,
    /// This hook is installed, and the image is older.
    OldImage(&'a str),
}

fn early_not_run(case: &Case<'_>) -> Vec<Hit> {
    if case.seen.boot_id.is_none() || ran_early(case) || !case.is_guest() {
        return Vec::new();
    }
    let place = match cause(case) {
        Cause::Inert => words::RUNNING,
        _ => "this boot",
    };
    [Hit::new(place, say::early_not_run(cause(case)))].into()
}

/// Whether there is a report of this boot's early stage.
fn ran_early(case: &Case<'_>) -> bool {
    let is_it = |report: &&Report| report.tool == EARLY && report.boot_id == case.seen.boot_id;
    case.seen.boot_id.is_some() && case.reports.iter().any(|report| is_it(&report))
}

/// What has to be said is why the initramfs did not do it.
fn early_after_root(case: &Case<'_>) -> Vec<Hit> {
    if !case.setup.stages.had_second_chance || !ran_early(case) || !case.is_guest() {
        return Vec::new();
    }
    [Hit::new("this boot", say::early_after_root(cause(case)))].into()
}

fn cause<'a>(case: &Case<'a>) -> Cause<'a> {
    let stages = &case.setup.stages;
    let knows_kernels = !(stages.releases.is_empty() && stages.images.is_empty());
    let release = stages.running.as_ref();
    let is_hosts = release.is_some_and(|release| knows_kernels && !stages.has_kernel(release));
    if KernelWords::parse(&case.seen.command_line).inert.is_some() {
        return Cause::Inert;
    }
    match &stages.hook {
        None => Cause::NoHook,
        Some(_) if is_hosts => Cause::HostsKernel,
        Some(_) if !stages.had_initramfs => Cause::NoInitramfs,
        Some(hook) => Cause::OldImage(hook),
    }
}

/// Only where initramfs-tools made the image: dracut always takes along what checks root.
fn no_fsck(case: &Case<'_>) -> Vec<Hit> {
    if case.setup.stages.checked_root != Some(false) || words::skips_fsck(case) {
        return Vec::new();
    }
    let is_ext =
        |fstype: &crate::text::Text| ["ext2", "ext3", "ext4"].iter().any(|e| *fstype == *e);
    let mut roots = case.seen.volumes.iter().filter(|volume| volume.mount_point == "/");
    if !case.is_guest() || !roots.any(|root| is_ext(&root.fstype)) {
        return Vec::new();
    }
    let line = case.setup.fstab.entries().find(|entry| entry.mount_point == "/");
    let never = line.is_some_and(|entry| entry.pass == 0);
    let place = match line {
        Some(entry) if never => alloc::format!("/etc/fstab:{}", entry.line),
        _ => "initramfs".into(),
    };
    [Hit::new(place, say::no_fsck(never))].into()
}
