//! Mount options that do not do what they promise, wherever they come from: fstab, mount units,
//! `rootflags=`, or the super block of what is mounted.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Case, Hit, Rule, Severity, words};
use crate::command_line::KernelWords;
use crate::fstab::{Options, OwnEditState};
use crate::grammar::{Barriers, Grammar};
use crate::kernel_version::KernelRelease;
use crate::policy::BarrierMode;
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::wording::audit::Said;
use crate::wording::audit::options as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "barrier-off-by-hand",
        severity: Severity::Warning,
        meaning: say::BARRIER_OFF_BY_HAND,
        look: barrier_off,
    },
    Rule {
        id: "data-writeback",
        severity: Severity::Warning,
        meaning: say::DATA_WRITEBACK,
        look: data_writeback,
    },
    Rule {
        id: "errors-continue",
        severity: Severity::Warning,
        meaning: say::ERRORS_CONTINUE,
        look: errors_continue,
    },
    Rule {
        id: "errors-panic",
        severity: Severity::Warning,
        meaning: say::ERRORS_PANIC,
        look: errors_panic,
    },
];

/// Options, where they are from and what they are for.
pub(super) struct Source {
    /// As findings name it.
    pub place: String,
    /// Where the file system is mounted.
    pub mount_point: Text,
    /// Its type; `auto` is looked up where it is mounted.
    pub fstype: Text,
    /// The options.
    pub options: Options,
    /// What they were read from.
    pub origin: Origin,
}

/// What options were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This line of fstab.
    Fstab(usize),
    /// A mount unit, and whether something cannot start without it.
    Unit {
        /// `RequiredBy=` is not empty.
        is_required: bool,
    },
    /// `rootflags=`.
    RootFlags,
    /// A mounted super block.
    Mounted,
}

/// All options that there are, those of what is mounted last: fstab and the kernel's line tell
/// where a person can change them.
pub(super) fn sources(case: &Case<'_>) -> Vec<Source> {
    let mut found = Vec::new();
    for entry in case.setup.fstab.entries() {
        let mount_point = entry.mount_point.clone();
        let fstype = match mounted_fstype(case, &mount_point) {
            Some(mounted) if is_auto(&entry.fstype) => mounted,
            _ => entry.fstype.clone(),
        };
        let options = entry.options.clone();
        let origin = Origin::Fstab(entry.line);
        found.push(Source { place: case.line(entry), mount_point, fstype, options, origin });
    }
    for unit in &case.setup.mount_units {
        let mount_point = unit.mount_point.clone();
        let mounted = || mounted_fstype(case, &mount_point);
        let fstype = Some(unit.fstype.clone()).filter(|fstype| !is_auto(fstype)).or_else(mounted);
        found.push(Source {
            place: unit.place.clone(),
            fstype: fstype.unwrap_or_default(),
            mount_point,
            options: Options::new(unit.options.as_bytes()),
            origin: Origin::Unit { is_required: unit.is_required },
        });
    }
    found.extend(root_flags(case));
    for mount in &case.setup.mounts {
        found.push(Source {
            place: format!("{}, as it is mounted", mount.mount_point),
            mount_point: mount.mount_point.clone(),
            fstype: mount.fstype.clone(),
            options: Options::new(mount.super_options.as_bytes()),
            origin: Origin::Mounted,
        });
    }
    found
}

fn root_flags(case: &Case<'_>) -> Option<Source> {
    let flags = KernelWords::parse(&case.seen.command_line).root_flags?;
    let mount_point = Text::from("/");
    let in_fstab = || case.setup.fstab.entries().find(|entry| entry.mount_point == "/");
    let fstype = mounted_fstype(case, &mount_point);
    let fstype = fstype.or_else(|| in_fstab().map(|entry| entry.fstype.clone()));
    Some(Source {
        place: format!("{}, rootflags=", words::RUNNING),
        mount_point,
        fstype: fstype.unwrap_or_default(),
        options: Options::new(flags.as_bytes()),
        origin: Origin::RootFlags,
    })
}

/// Whether mount(8) shall find out.
fn is_auto(fstype: &Text) -> bool {
    fstype.is_empty() || *fstype == "auto"
}

fn mounted_fstype(case: &Case<'_>, mount_point: &Text) -> Option<Text> {
    let mut mounts = case.setup.mounts.iter();
    Some(mounts.rfind(|mount| mount.mount_point == *mount_point)?.fstype.clone())
}

/// Types with the options of ext.
fn is_ext(fstype: &Text) -> bool {
    ["ext2", "ext3", "ext4"].iter().any(|known| *fstype == *known)
}

fn data_writeback(case: &Case<'_>) -> Vec<Hit> {
    with_word(case, "data=writeback", |source| {
        say::data_writeback(source.mount_point == "/" && is_fstab(source))
    })
}

fn is_fstab(source: &Source) -> bool {
    matches!(source.origin, Origin::Fstab(_))
}

fn errors_continue(case: &Case<'_>) -> Vec<Hit> {
    with_word(case, "errors=continue", |_| say::errors_continue())
}

fn errors_panic(case: &Case<'_>) -> Vec<Hit> {
    with_word(case, "errors=panic", |_| say::errors_panic())
}

/// Those ext file systems that have the word as the last of its kind; each mount point once.
fn with_word(case: &Case<'_>, word: &str, say: impl Fn(&Source) -> Said) -> Vec<Hit> {
    let Some((name, _)) = word.split_once('=') else { return Vec::new() };
    let has = |source: &&Source| {
        let words = source.options.words();
        let mut of_kind = words.iter().filter(|one| one.starts_with(&format!("{name}=")));
        of_kind.next_back().is_some_and(|last| *last == word) && is_ext(&source.fstype)
    };
    once_each(sources(case).iter().filter(has), say)
}

/// One finding for each mount point, at the first place.
fn once_each<'a>(
    sources: impl Iterator<Item = &'a Source>,
    say: impl Fn(&Source) -> Said,
) -> Vec<Hit> {
    let mut known: Vec<&Text> = Vec::new();
    let mut hits = Vec::new();
    for source in sources {
        if !known.contains(&&source.mount_point) {
            known.push(&source.mount_point);
            hits.push(Hit::new(&*source.place, say(source)));
        }
    }
    hits
}

/// Where every disk below flushes; or where the policy says that barriers stay on. What xvdguard
/// wrote itself is its own to take back.
fn barrier_off(case: &Case<'_>) -> Vec<Hit> {
    let mode = case.policy.barrier.value;
    if matches!(mode, BarrierMode::Off | BarrierMode::Leave) {
        return Vec::new();
    }
    let all = sources(case);
    let ours = own_mount_points(case, &all);
    let kernels = case.kernels();
    let off = all
        .iter()
        .filter(|source| switches_off(source, &kernels) && !ours.contains(&source.mount_point));
    let judged = off.filter(|source| mode == BarrierMode::On || is_proven(case, source));
    once_each(judged, |source| say::barrier_off(source.origin, &source.mount_point))
}

/// Whether its words leave some kernel without barriers; without such a word, the default is no
/// work of a hand.
fn switches_off(source: &Source, kernels: &[KernelRelease]) -> bool {
    let words = source.options.words();
    let off = Some(Barriers::Off);
    let is_off = |kernel| Grammar::new(&source.fstype, kernel).barriers(&words) == off;
    !source.options.barrier_words().is_empty() && kernels.iter().any(is_off)
}

/// Mount points whose `barrier=0` xvdguard wrote to fstab.
fn own_mount_points(case: &Case<'_>, sources: &[Source]) -> Vec<Text> {
    let edits = case.setup.fstab.own_edits();
    let is_ours = |source: &&Source| {
        let Origin::Fstab(line) = source.origin else { return false };
        edits.iter().any(|edit| edit.state == OwnEditState::Intact(line))
    };
    sources.iter().filter(is_ours).map(|source| source.mount_point.clone()).collect()
}

fn is_proven(case: &Case<'_>, source: &Source) -> bool {
    let device = match source.origin {
        Origin::Fstab(line) => case.setup.fstab.entry(line).and_then(|entry| case.device_of(entry)),
        _ => case.mounted_device(&source.mount_point),
    };
    let Some(device) = device else { return false };
    let disks = case.seen.block.bottom(&device);
    let flushes = |name: &Text| {
        let report = case.disks.iter().find(|report| report.name == *name);
        report.is_some_and(|report| report.verdict == FlushVerdict::Proven)
    };
    !disks.is_empty() && disks.iter().all(flushes)
}
