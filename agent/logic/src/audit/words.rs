//! Words of the kernel command line and of modprobe.d that do nothing, or more than was meant.
//!
//! Looks at the running kernel's line and at those that a boot loader keeps; a word that stands on
//! several is one finding.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::setup::{KernelLine, Word};
use super::{Case, Hit, Rule, Severity};
use crate::command_line::KernelWords;
use crate::kernel_version::KernelVersion;
use crate::policy::BarrierMode;
use crate::verdict::FlushVerdict;
use crate::wording::audit::Said;
use crate::wording::audit::words as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "blkfront-parameter-unknown",
        severity: Severity::Warning,
        meaning: say::BLKFRONT_PARAMETER_UNKNOWN,
        look: parameter_unknown,
    },
    Rule {
        id: "blkfront-max-renamed",
        severity: Severity::Warning,
        meaning: say::BLKFRONT_MAX_RENAMED,
        look: max_renamed,
    },
    Rule {
        id: "timeout-word",
        severity: Severity::Warning,
        meaning: say::TIMEOUT_WORD,
        look: timeout_word,
    },
    Rule {
        id: "barrier-off-word",
        severity: Severity::Warning,
        meaning: say::BARRIER_OFF_WORD,
        look: barrier_off_word,
    },
    Rule {
        id: "kernel-word-misread",
        severity: Severity::Warning,
        meaning: say::KERNEL_WORD_MISREAD,
        look: misread,
    },
    Rule {
        id: "fsck-switched-off",
        severity: Severity::Warning,
        meaning: say::FSCK_SWITCHED_OFF,
        look: fsck_switched_off,
    },
];

/// Parameters of xen_blkfront (drivers/block/xen-blkfront.c), of any version.
const PARAMETERS: [&str; 6] = [
    "max",
    "max_indirect_segments",
    "max_ring_page_order",
    "max_queues",
    "trusted",
    "feature_persistent",
];

/// The module's prefix on the kernel command line.
const PREFIX: &str = "xen_blkfront.";

/// `max` became `max_indirect_segments`.
const RENAMED_IN: KernelVersion = KernelVersion::new(4, 15, 0);

/// From here on a module loads although it does not know one of its options.
const UNKNOWN_IGNORED_FROM: KernelVersion = KernelVersion::new(3, 11, 0);

/// Where the running kernel's words are.
pub(super) const RUNNING: &str = "the kernel command line";

/// A word and every place where it stands.
struct Placed {
    word: Word,
    places: Vec<String>,
}

fn parameter_unknown(case: &Case<'_>) -> Vec<Hit> {
    let mut kernels = case.kernels().into_iter();
    let stops_loading = kernels.any(|kernel| kernel.version < UNKNOWN_IGNORED_FROM);
    blkfront_options(
        case,
        |name| !PARAMETERS.contains(&name),
        |shown, name| say::parameter_unknown(shown, name, stops_loading),
    )
}

fn max_renamed(case: &Case<'_>) -> Vec<Hit> {
    let newest = case.kernels().into_iter().max_by_key(|kernel| kernel.version);
    let Some(kernel) = newest.filter(|kernel| kernel.version >= RENAMED_IN) else {
        return Vec::new();
    };
    blkfront_options(case, |name| name == "max", |shown, _| say::max_renamed(shown, &kernel.name))
}

/// Options of the driver, on kernel lines and in modprobe.d.
fn blkfront_options(
    case: &Case<'_>,
    wanted: impl Fn(&str) -> bool,
    say: impl Fn(&dyn core::fmt::Display, &str) -> Said,
) -> Vec<Hit> {
    let on_lines = placed(case, |word| word.name.strip_prefix(PREFIX).is_some_and(&wanted));
    let mut hits: Vec<Hit> = on_lines
        .into_iter()
        .map(|found| {
            let said = say(&found.word.shown, found.word.name.trim_start_matches(PREFIX));
            found.into_hit(said)
        })
        .collect();
    let options = case.setup.module_options.iter();
    let options = options.filter(|one| one.module == "xen_blkfront" && wanted(&one.name));
    hits.extend(options.map(|one| Hit::new(&*one.place, say(&one.shown, &one.name))));
    hits
}

fn timeout_word(case: &Case<'_>) -> Vec<Hit> {
    const NAMES: [&str; 5] = ["timeout", "retry", "retries", "suspend_timeout", "retry_timeout"];
    let found = placed(case, |word| word.value.is_some() && NAMES.contains(&&*word.name));
    let hit = |found: Placed| {
        let said = say::timeout_word(&found.word.shown);
        found.into_hit(said)
    };
    found.into_iter().map(hit).collect()
}

fn barrier_off_word(case: &Case<'_>) -> Vec<Hit> {
    let in_force = KernelWords::parse(&case.seen.command_line).barrier;
    let is_overruled = in_force.is_some_and(|chosen| chosen.value != BarrierMode::Off);
    if !case.is_guest() || is_overruled {
        return Vec::new();
    }
    let switches_off = |word: &Word| {
        let mode =
            word.value.as_ref().and_then(|value| BarrierMode::from_kernel_word(value.as_str()?));
        matches!(&*word.name, "barrier" | "xvdguard.barrier") && mode == Some(BarrierMode::Off)
    };
    // What never takes a flush loses none.
    let is_idle = |verdict| matches!(verdict, FlushVerdict::Absent | FlushVerdict::Off);
    let touched = case.disks.iter().filter(|disk| !is_idle(disk.verdict));
    let names: Vec<String> = touched.map(|disk| format!("{}", disk.name)).collect();
    let hit = |found: Placed| {
        let said = say::barrier_off(&found.word.shown, &names);
        found.into_hit(said)
    };
    placed(case, switches_off).into_iter().map(hit).collect()
}

fn misread(case: &Case<'_>) -> Vec<Hit> {
    let oddities = KernelWords::parse(&case.seen.command_line).oddities.into_iter();
    oddities.map(|oddity| Hit::new(RUNNING, say::misread(oddity))).collect()
}

/// systemd-fsck@.service(8), initramfs-tools(7).
fn is_fsck_skip(word: &Word) -> bool {
    match &*word.name {
        "fsck.mode" => word.says("skip"),
        name => word.value.is_none() && name == "fastboot",
    }
}

/// Whether the running kernel's line says so.
pub(super) fn skips_fsck(case: &Case<'_>) -> bool {
    let running = KernelLine::new(RUNNING, case.seen.command_line.as_bytes());
    running.words.iter().any(is_fsck_skip)
}

fn fsck_switched_off(case: &Case<'_>) -> Vec<Hit> {
    let hit = |found: Placed| {
        let said = say::fsck_off(&found.word.shown);
        found.into_hit(said)
    };
    placed(case, is_fsck_skip).into_iter().map(hit).collect()
}

/// The wanted words of all lines, each once, in the order in which they are found.
fn placed(case: &Case<'_>, wanted: impl Fn(&Word) -> bool) -> Vec<Placed> {
    let running = KernelLine::new(RUNNING, case.seen.command_line.as_bytes());
    let lines = core::iter::once(&running).chain(&case.setup.kernel_lines);
    let mut found: Vec<Placed> = Vec::new();
    let mut known = BTreeMap::new();
    for line in lines {
        for word in line.words.iter().filter(|word| wanted(word)) {
            let at = *known.entry((&word.name, &word.value)).or_insert(found.len());
            if at == found.len() {
                found.push(Placed { word: word.clone(), places: Vec::new() });
            }
            if !found[at].places.contains(&line.place) {
                found[at].places.push(line.place.clone());
            }
        }
    }
    found
}

impl Placed {
    fn into_hit(self, said: Said) -> Hit {
        Hit::new(self.places.join(", "), said)
    }
}
