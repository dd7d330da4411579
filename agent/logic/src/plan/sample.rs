//! A small machine for the tests of the plan: disks with verdicts, mounts, a fstab.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::record::Record;
use super::{Finding, Plan, Situation, plan, revert};
use crate::block::{BlockDevice, DeviceNumber};
use crate::disk::sample;
use crate::fstab::Fstab;
use crate::kernel_version::{KernelRelease, KernelVersion};
use crate::mountinfo;
use crate::observation::Observation;
use crate::policy::{BarrierMode, Chosen, Lever, Policy, RewriteFstab};
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::volume::volumes;

pub(super) const ALL_MODES: [BarrierMode; 4] =
    [BarrierMode::Auto, BarrierMode::Off, BarrierMode::On, BarrierMode::Leave];

/// Everything that a plan is made from, owned.
#[derive(Debug, Clone, Default)]
pub(super) struct Machine {
    pub policy: Policy,
    pub seen: Observation,
    pub reports: Vec<DiskReport>,
    pub fstab: String,
    pub carriers: BTreeMap<usize, Text>,
    pub lost: BTreeMap<usize, String>,
    pub kernels: Vec<KernelRelease>,
    pub mount_units: Vec<Text>,
    pub record: Option<Record>,
    devices: Vec<BlockDevice>,
}

impl Machine {
    /// A guest that runs the first of these kernels; all are installed.
    pub fn with_kernels(kernels: &[(u16, u16)]) -> Machine {
        let release = |(major, minor): &(u16, u16)| {
            KernelRelease::parse(&Text::from(format!("{major}.{minor}.0")))
        };
        let kernels: Vec<_> = kernels.iter().filter_map(release).collect();
        let mut machine = Machine { kernels, ..Machine::default() };
        machine.seen.kernel = machine.kernels.first().map(|kernel| kernel.version);
        machine
    }

    /// The policy of these words.
    pub fn policy(&mut self, mode: BarrierMode, lever: Lever, rewrite: RewriteFstab) {
        self.policy.barrier = Chosen::by_default(mode);
        self.policy.lever = Chosen::by_default(lever);
        self.policy.rewrite_fstab = Chosen::by_default(rewrite);
    }

    /// Adds a disk `xvda`, … (`minor`) with this verdict. Kernels from 4.7 on tell of its cache.
    pub fn disk(&mut self, name: &str, minor: u32, verdict: FlushVerdict) {
        let mut disk = sample::disk(name, &[("feature-flush-cache", "1"), ("mode", "w")]);
        if let Some(device) = &mut disk.device {
            device.number = DeviceNumber { major: 202, minor };
            if self.seen.kernel < Some(KernelVersion::new(4, 7, 0)) {
                device.queue.clear();
            }
        }
        let mut report = DiskReport::new(&disk, None);
        report.verdict = verdict;
        self.reports.push(report);
        self.seen.disks.push(disk);
        self.device(name, minor, &[]);
    }

    /// Adds a block device on others.
    pub fn device(&mut self, name: &str, minor: u32, below: &[&str]) {
        let number = DeviceNumber { major: 202, minor };
        let below = below.iter().map(|name| Text::from(*name)).collect();
        self.devices.push(BlockDevice { name: name.into(), number, below, mapper_name: None });
        self.seen.block = self.devices.iter().cloned().collect();
    }

    /// Mounts the block device of that number.
    pub fn mount(&mut self, minor: u32, mount_point: &str, fstype: &str, super_options: &str) {
        let line = format!("1 0 202:{minor} / {mount_point} rw - {fstype} /dev/x {super_options}");
        self.seen.mounts.extend(mountinfo::parse(line.as_bytes()).0);
        self.seen.volumes = volumes(&self.seen.mounts, &self.seen.block);
    }

    /// Adds lines to fstab; what a line `/dev/NAME` names is found.
    pub fn fstab(&mut self, lines: &str) {
        self.fstab.push_str(lines);
        let fstab = Fstab::parse(self.fstab.as_bytes());
        let named = fstab.entries().filter_map(|entry| {
            let name = entry.source.as_str()?.strip_prefix("/dev/")?;
            Some((entry.line, Text::from(name)))
        });
        self.carriers = named.collect();
    }

    /// The plan for it.
    pub fn plan(&self) -> Plan {
        plan(&self.situation(&Fstab::parse(self.fstab.as_bytes())))
    }

    /// The plan that takes back what is ours.
    pub fn revert(&self) -> Result<Plan, Vec<Finding>> {
        revert(&self.situation(&Fstab::parse(self.fstab.as_bytes())), self.record.as_ref())
    }

    fn situation<'a>(&'a self, fstab: &'a Fstab) -> Situation<'a> {
        let Machine { policy, seen, reports, carriers, lost, kernels, mount_units, .. } = self;
        Situation { policy, seen, reports, fstab, carriers, lost, kernels, mount_units }
    }

    /// fstab as the plan wants it; as it is where nothing changes.
    pub fn planned_fstab(&self) -> String {
        let new = self.plan().new_fstab;
        let new = new.map(|new| String::from_utf8_lossy(new.to_bytes()).into_owned());
        new.unwrap_or_else(|| self.fstab.clone())
    }
}
