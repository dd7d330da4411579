//! The fstab column of the decision table: what is wanted for a file system on these disks.

use alloc::vec::Vec;

use super::{Situation, Why};
use crate::decide_boot::is_deadly;
use crate::kernel_version::KernelRelease;
use crate::policy::{BarrierMode, Lever};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::wording::plan as wording;

/// What is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// No change.
    Nothing,
    /// `barrier=0` on ext3 and ext4.
    SwitchOff(Why),
    /// Our own `barrier=0` taken back.
    TakeBack(Why),
}

impl Situation<'_> {
    /// What is wanted for a file system on these disks; none where they are not known.
    pub(super) fn wish(&self, disks: Option<&[Text]>) -> Wish {
        match self.policy.barrier.value {
            BarrierMode::Leave => Wish::Nothing,
            BarrierMode::On => Wish::TakeBack(Why {
                rule: "mode-on",
                reason: wording::by_person(&self.policy.barrier),
            }),
            BarrierMode::Off => disks.map_or(Wish::Nothing, |disks| self.wish_when_off(disks)),
            BarrierMode::Auto => disks.map_or(Wish::Nothing, |disks| self.wish_by_verdict(disks)),
        }
    }

    /// A person said so, for every vbd; a disk of another kind is none of ours.
    fn wish_when_off(&self, disks: &[Text]) -> Wish {
        let is_flushable =
            |disk: &Text| self.seen.disk(disk).is_some_and(|disk| disk.unflushable().is_none());
        let are_vbds = disks.iter().all(|disk| self.report(disk).is_some());
        if !self.may_use_mount_options() || !are_vbds || !disks.iter().any(is_flushable) {
            return Wish::Nothing;
        }
        let reason = wording::by_person(&self.policy.barrier);
        Wish::SwitchOff(Why { rule: "mode-off", reason })
    }

    /// Every disk below counts: one that is proven, or failed during an outage, keeps barriers on.
    fn wish_by_verdict(&self, disks: &[Text]) -> Wish {
        let reports: Option<Vec<&DiskReport>> =
            disks.iter().map(|disk| self.report(disk)).collect();
        let Some(reports) = reports else { return Wish::Nothing };
        let with = |verdict| {
            let found = reports.iter().filter(move |report| report.verdict == verdict);
            found.map(|report| report.name.clone()).collect::<Vec<_>>()
        };
        let all = |allowed: &[FlushVerdict]| {
            reports.iter().all(|report| allowed.contains(&report.verdict))
        };
        let (refused, proven) = (with(FlushVerdict::Refused), with(FlushVerdict::Proven));
        // What takes no flush loses nothing by barrier=0, and gains nothing.
        use FlushVerdict::{Absent, Off, Proven, Refused, SwitchedOff};
        if !refused.is_empty() && all(&[Refused, Absent, Off, SwitchedOff]) {
            let Some(deadly) = self.deadly(&refused) else { return Wish::Nothing };
            let reason = wording::refused(&refused, &deadly.name);
            return Wish::SwitchOff(Why { rule: "flush-refused", reason });
        }
        if !proven.is_empty() && all(&[Proven, Absent, Off]) {
            let reason = wording::proven(&proven);
            return Wish::TakeBack(Why { rule: "flush-proven", reason });
        }
        Wish::Nothing
    }

    /// The oldest kernel whose journal dies of what these disks do, where the mount option may be
    /// used against it.
    fn deadly(&self, disks: &[Text]) -> Option<&KernelRelease> {
        let disks = || disks.iter().filter_map(|disk| self.seen.disk(disk));
        let dies =
            |kernel: &&KernelRelease| disks().any(|disk| is_deadly(Some(kernel.version), disk));
        let kernels = self.kernels.iter().filter(|_| self.may_use_mount_options());
        kernels.filter(dies).min_by_key(|kernel| kernel.version)
    }

    fn may_use_mount_options(&self) -> bool {
        self.policy.lever.value != Lever::Queue
    }
}
