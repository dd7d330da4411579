//! Early boot: from policy and verdicts to what is set before root is mounted.
//!
//! The decision table of the design, columns "up to 6.10" and "6.11+". Nothing here is written to
//! any disk, and nothing is switched off where flushes are proven, unless a person said so.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::disk::{Disk, WriteCache};
use crate::effect::{Attribute, QueueSetting, Switch};
use crate::kernel_version::KernelVersion;
use crate::observation::Observation;
use crate::policy::queue;
use crate::policy::{BarrierMode, Chosen, Lever, Policy};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::wording;

/// The root file system, as far as it is known before it is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RootDevice {
    /// The disks below it.
    pub disks: Vec<Text>,
    /// Whether its super block was read and is one of ext3 or ext4: both have a journal and know
    /// `barrier=0`.
    pub is_ext3_or_ext4: bool,
    /// Whether its super block notes errors (`s_state` of ext): e2fsck -p then checks all of it.
    pub has_errors: bool,
}

/// What early boot does, and what it says about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootDecision {
    /// Attributes to write, in order.
    pub settings: Vec<QueueSetting>,
    /// Whether root is to be mounted with `barrier=0`.
    pub root_needs_barrier_0: bool,
    /// Sentences for the kernel log and the report.
    pub said: Vec<String>,
}

/// Decides what to set, from what was seen and judged.
pub fn decide_boot(
    policy: &Policy,
    seen: &Observation,
    verdicts: &[DiskReport],
    root: Option<&RootDevice>,
) -> BootDecision {
    let mut decision = BootDecision::default();
    let words = wording::boot::Words { policy, kernel: seen.kernel };
    for report in verdicts {
        let Some(disk) = seen.disk(&report.name) else { continue };
        let switch = switch(policy, seen, disk, report);
        let is_below_root = root.is_some_and(|root| root.disks.contains(&disk.name));
        match switch {
            Switch::Queue => decision.settings.push(QueueSetting {
                disk: disk.name.clone(),
                attribute: Attribute::WriteCache,
                old: Text::from("write back"),
                new: Text::from("write through"),
                reason: words.why_off(report),
            }),
            Switch::Mount if is_below_root => decision.want_barrier_0(root),
            Switch::Mount | Switch::None => {}
        }
        decision.said.push(words.disk(report, switch));
        let limits = limits(policy, disk).into_iter();
        decision.settings.extend(limits.filter(|setting| setting.old != setting.new));
    }
    decision
}

impl BootDecision {
    fn want_barrier_0(&mut self, root: Option<&RootDevice>) {
        if root.is_some_and(|root| root.is_ext3_or_ext4) {
            self.root_needs_barrier_0 = true;
        } else {
            self.said.push(wording::boot::ROOT_NOT_EXT.into());
        }
    }
}

/// How flushes of this disk are switched off on the running kernel; also asked by the plan.
pub(crate) fn switch(
    policy: &Policy,
    seen: &Observation,
    disk: &Disk,
    report: &DiskReport,
) -> Switch {
    let wanted = match policy.barrier.value {
        BarrierMode::On | BarrierMode::Leave => false,
        BarrierMode::Off => disk.unflushable().is_none(),
        BarrierMode::Auto => {
            report.verdict == FlushVerdict::Refused && is_deadly(seen.kernel, disk)
        }
    };
    match (wanted, policy.lever.value, disk.write_cache()) {
        (false, ..) => Switch::None,
        (true, Lever::Mount, _) => Switch::Mount,
        (true, _, WriteCache::Through | WriteCache::Unreadable) => Switch::None,
        (true, _, WriteCache::Back) => Switch::Queue,
        (true, Lever::Auto, WriteCache::Unknown) => Switch::Mount,
        (true, Lever::Queue, WriteCache::Unknown) => Switch::None,
    }
}

/// Whether a refused flush can abort a journal on this kernel: it is one that does, or the driver
/// hands the error to the file system, which every kernel's journal dies of.
pub(crate) fn is_deadly(kernel: Option<KernelVersion>, disk: &Disk) -> bool {
    let by_kernel = kernel.is_none_or(KernelVersion::aborts_on_failed_flush);
    by_kernel || disk.device.as_ref().is_some_and(|device| !device.is_blkfront)
}

/// Queue limits, also those that the disk has already; all are set again after a reconnect.
pub(crate) fn limits(policy: &Policy, disk: &Disk) -> Vec<QueueSetting> {
    let Some(device) = &disk.device else { return Vec::new() };
    let wanted = queue::wanted(&policy.queue, disk).into_iter();
    let settings = wanted.filter_map(|(attribute, Chosen { value: new, origin })| {
        let old = attribute.current(device.queue.get(attribute.name())?);
        let reason = origin.to_string();
        let attribute = Attribute::Limit(attribute);
        Some(QueueSetting { disk: disk.name.clone(), attribute, old, new, reason })
    });
    settings.collect()
}

#[cfg(test)]
mod tests;
