//! What the backends do with flushes, and who keeps flushes from them.

use alloc::format;
use alloc::vec::Vec;

use super::{Case, Hit, Rule, Severity};
use crate::disk::WriteCache;
use crate::policy::BarrierMode;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::wording::audit::Said;
use crate::wording::audit::barriers as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "write-back-after-failure",
        severity: Severity::Critical,
        meaning: say::WRITE_BACK_AFTER_FAILURE,
        look: write_back_after_failure,
    },
    Rule {
        id: "flush-failing",
        severity: Severity::Critical,
        meaning: say::FLUSH_FAILING,
        look: flush_failing,
    },
    Rule {
        id: "flush-lost",
        severity: Severity::Critical,
        meaning: say::FLUSH_LOST,
        look: flush_lost,
    },
    Rule {
        id: "flush-refused",
        severity: Severity::Warning,
        meaning: say::FLUSH_REFUSED,
        look: flush_refused,
    },
    Rule {
        id: "write-through-by-hand",
        severity: Severity::Warning,
        meaning: say::WRITE_THROUGH_BY_HAND,
        look: write_through_by_hand,
    },
    Rule {
        id: "flush-untested",
        severity: Severity::Info,
        meaning: say::FLUSH_UNTESTED,
        look: flush_untested,
    },
];

fn flush_failing(case: &Case<'_>) -> Vec<Hit> {
    of_verdict(case, FlushVerdict::Failing, |disk| say::failing(disk, case.seen.kernel))
}

fn flush_lost(case: &Case<'_>) -> Vec<Hit> {
    of_verdict(case, FlushVerdict::Lost, |disk| say::lost(disk, case.seen.kernel))
}

fn flush_refused(case: &Case<'_>) -> Vec<Hit> {
    of_verdict(case, FlushVerdict::Refused, |disk| say::refused(disk, case.seen.kernel))
}

fn flush_untested(case: &Case<'_>) -> Vec<Hit> {
    of_verdict(case, FlushVerdict::Untested, say::untested)
}

fn write_through_by_hand(case: &Case<'_>) -> Vec<Hit> {
    if case.policy.barrier.value == BarrierMode::Off {
        return Vec::new();
    }
    let disks = case.disks.iter().filter(|disk| !disk.switched_off_by_us);
    let by_hand = disks.filter(|disk| disk.verdict == FlushVerdict::SwitchedOff);
    by_hand.map(|disk| Hit::new(format!("{}", disk.name), say::by_hand(disk))).collect()
}

/// Up to 6.10 a flush that is sent after one has failed gets EIO from blkfront itself.
fn write_back_after_failure(case: &Case<'_>) -> Vec<Hit> {
    let kernel = case.seen.kernel.filter(|kernel| kernel.aborts_on_failed_flush());
    let has_failed =
        |disk: &&DiskReport| matches!(disk.verdict, FlushVerdict::Refused | FlushVerdict::Failing);
    let is_back = |disk: &&DiskReport| {
        let disk = case.seen.disk(&disk.name);
        disk.is_some_and(|disk| disk.write_cache() == WriteCache::Back)
    };
    let disks = case.disks.iter().filter(|_| kernel.is_some()).filter(has_failed).filter(is_back);
    disks.map(|disk| Hit::new(format!("{}", disk.name), say::write_back(disk))).collect()
}

fn of_verdict(
    case: &Case<'_>,
    verdict: FlushVerdict,
    say: impl Fn(&DiskReport) -> Said,
) -> Vec<Hit> {
    let disks = case.disks.iter().filter(|disk| disk.verdict == verdict);
    disks.map(|disk| Hit::new(format!("{}", disk.name), say(disk))).collect()
}
