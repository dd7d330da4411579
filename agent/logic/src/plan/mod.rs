//! The plan: what should be changed while the machine runs, by the decision table of the design.
//!
//! Pure: what is seen and judged comes in, changes with their reasons go out. What early boot does
//! to queues and root is asked of `decide_boot`; here are fstab, remounts, and the way back.
//! Nothing is switched off where flushes are proven unless a person said so, and what failed
//! during an outage is never written to a file. Tests: `table` holds every cell.

mod finding;
pub mod later;
mod lines;
pub mod record;
mod remount;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;
pub mod units;
mod wish;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::slice;

use crate::block::DeviceNumber;
use crate::command_line::{KernelWords, join_options};
use crate::decide_boot::{RootDevice, decide_boot};
use crate::disk::WriteCache;
use crate::effect::{Attribute, QueueSetting};
use crate::fstab::Fstab;
use crate::kernel_version::KernelRelease;
use crate::mountinfo::Mount;
use crate::observation::Observation;
use crate::policy::{BarrierMode, Policy};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::volume::Volume;
use crate::wording::plan as wording;

pub use finding::{Finding, Severity};
use record::Record;

/// Everything that the plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The policy in force.
    pub policy: &'a Policy,
    /// What was seen.
    pub seen: &'a Observation,
    /// The verdict of each disk.
    pub reports: &'a [DiskReport],
    /// fstab as it is.
    pub fstab: &'a Fstab,
    /// The block device of each line of fstab whose source was found, by its name.
    pub carriers: &'a BTreeMap<usize, Text>,
    /// Why the source of a line was not found, where it should be a block device.
    pub lost: &'a BTreeMap<usize, String>,
    /// Every kernel that may be booted next.
    pub kernels: &'a [KernelRelease],
    /// Names of the `.mount` units that somebody wrote.
    pub mount_units: &'a [Text],
}

/// What should be changed, and what is worth knowing about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Lines of fstab, in the order of the file.
    pub fstab: Vec<LineChange>,
    /// fstab with these changes; none where there are none.
    pub new_fstab: Option<Fstab>,
    /// Attributes of queues.
    pub queue: Vec<QueueSetting>,
    /// Mounted file systems that get a barrier option now.
    pub remounts: Vec<Remount>,
    /// What the kernel command line should hold for boots without early boot.
    pub root_flags: Option<RootFlags>,
    /// What is seen and not changed.
    pub findings: Vec<Finding>,
    /// What comes into force at the next mount or boot only, in sentences.
    pub waits: Vec<String>,
}

impl Plan {
    /// Whether there is nothing to carry out. Root flags are for a person to set.
    pub fn is_empty(&self) -> bool {
        self.fstab.is_empty() && self.queue.is_empty() && self.remounts.is_empty()
    }
}

/// One line of fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineChange {
    /// Which way.
    pub kind: ChangeKind,
    /// The line as fstab is now, counted from 1.
    pub line: usize,
    /// Its first field.
    pub source: Text,
    /// Its second field.
    pub mount_point: Text,
    /// The option field as it is; empty where there is none.
    pub old: Text,
    /// The option field as it should be.
    pub new: Text,
    /// Why.
    pub why: Why,
}

impl LineChange {
    /// Whether something of ours comes.
    pub fn is_set(&self) -> bool {
        self.kind == ChangeKind::Set
    }
}

/// Which way something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Something of ours comes.
    Set,
    /// Something of ours goes.
    Restore,
}

impl ChangeKind {
    /// The word of the design, also in JSON.
    pub fn word(self) -> &'static str {
        match self {
            ChangeKind::Set => "set",
            ChangeKind::Restore => "restore",
        }
    }
}

/// What wants a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The row of the decision table, in kebab-case.
    pub rule: &'static str,
    /// The reason in one sentence, safe for a terminal.
    pub reason: String,
}

/// A mounted ext3 or ext4 file system that gets another barrier option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remount {
    /// Where it is mounted.
    pub mount_point: Text,
    /// Its type.
    pub fstype: Text,
    /// The block device that carries it.
    pub device: DeviceNumber,
    /// That device's name.
    pub device_name: Text,
    /// Whether it is to send flushes.
    pub barrier: bool,
    /// Why.
    pub why: Why,
}

impl Remount {
    /// The option as mount(8) takes it.
    pub fn option(barrier: bool) -> &'static str {
        if barrier { "barrier=1" } else { "barrier=0" }
    }
}

/// The value of `rootflags=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootFlags {
    /// What the command line of this boot holds.
    pub old: Option<Text>,
    /// What it should hold.
    pub new: String,
    /// Why.
    pub reason: String,
}

/// Makes the plan.
pub fn plan(situation: &Situation<'_>) -> Plan {
    if situation.policy.inert.is_some() {
        return Plan::default();
    }
    let lines = lines::plan(situation);
    let remounts = remount::plan(situation, &lines);
    let (queue, root_flags) = situation.early();
    let mut findings = lines.findings;
    findings.extend(finding::beside_fstab(situation));
    Plan {
        fstab: lines.changes,
        new_fstab: lines.fstab,
        queue,
        remounts: remounts.now,
        root_flags,
        findings,
        waits: remounts.later,
    }
}

/// Makes the plan that takes back all that is ours, also what is recorded. An error: somebody
/// changed one of our edits since, so nothing is taken back.
pub fn revert(situation: &Situation<'_>, record: Option<&Record>) -> Result<Plan, Vec<Finding>> {
    let bare = record.map(|record| record.without_comment(situation.fstab)).unwrap_or_default();
    let lines = match (lines::revert(situation), bare.as_slice()) {
        (Ok(lines), []) => lines,
        (lines, bare) => {
            let mut changed = lines.err().unwrap_or_default();
            changed.extend(bare.iter().map(|entry| Finding::at(entry, wording::COMMENT_GONE)));
            return Err(changed);
        }
    };
    let remounts = remount::take_back(situation, &lines);
    let (well, ill): (Vec<_>, Vec<_>) = situation
        .reports
        .iter()
        .filter_map(|report| situation.switch_on_again(report, wording::REVERT.into()))
        .partition(|setting| situation.may_flush(slice::from_ref(&setting.disk)));
    let stays = ill.iter().map(|setting| wording::stays_through(&setting.disk));
    Ok(Plan {
        fstab: lines.changes,
        new_fstab: lines.fstab,
        queue: well,
        remounts: remounts.now,
        waits: remounts.later.into_iter().chain(stays).collect(),
        ..Plan::default()
    })
}

impl Situation<'_> {
    /// What early boot would do now, and what takes its settings back.
    fn early(&self) -> (Vec<QueueSetting>, Option<RootFlags>) {
        let root = self.seen.volumes.iter().find(|volume| volume.mount_point == "/");
        let device = root.map(|root| RootDevice {
            disks: root.disks.clone(),
            is_ext3_or_ext4: is_ext3_or_ext4(&root.fstype),
            has_errors: false,
        });
        let decision = decide_boot(self.policy, self.seen, self.reports, device.as_ref());
        let mut queue = decision.settings;
        if matches!(self.policy.barrier.value, BarrierMode::Auto | BarrierMode::On) {
            let proven = self.reports.iter().filter(|one| one.verdict == FlushVerdict::Proven);
            queue.extend(proven.filter_map(|report| {
                self.switch_on_again(report, wording::proven(slice::from_ref(&report.name)))
            }));
        }
        let is_off = root.is_some_and(|root| self.is_off(root));
        let flags = decision.root_needs_barrier_0 && !is_off;
        (queue, flags.then(|| self.root_flags()))
    }

    /// Takes back a `write through` of ours.
    fn switch_on_again(&self, report: &DiskReport, reason: String) -> Option<QueueSetting> {
        let disk = self.seen.disk(&report.name)?;
        let is_ours = report.switched_off_by_us && disk.write_cache() == WriteCache::Through;
        is_ours.then(|| QueueSetting {
            disk: disk.name.clone(),
            attribute: Attribute::WriteCache,
            old: Text::from("write through"),
            new: Text::from("write back"),
            reason,
        })
    }

    fn root_flags(&self) -> RootFlags {
        let old = KernelWords::parse(&self.seen.command_line).root_flags;
        let new = join_options(&old.clone().unwrap_or_default(), Remount::option(false));
        RootFlags { old, new, reason: wording::ROOT_FLAGS.into() }
    }

    fn report(&self, disk: &Text) -> Option<&DiskReport> {
        self.reports.iter().find(|report| report.name == *disk)
    }

    /// The mount that a volume was found by.
    fn mount(&self, volume: &Volume) -> Option<&Mount> {
        self.seen.mounts.iter().find(|mount| mount.device == volume.device)
    }

    /// Whether a mounted file system sends no flush, by its own options.
    fn is_off(&self, volume: &Volume) -> bool {
        self.mount(volume).is_some_and(Mount::is_without_barriers)
    }
}

fn is_ext3_or_ext4(fstype: &Text) -> bool {
    *fstype == "ext3" || *fstype == "ext4"
}
