//! The audit: rules over what this machine is and how it is set up.
//!
//! A rule is a row (id, severity, meaning) and a function; rows are grouped in files by subject,
//! and each is registered once, in `SUBJECTS`. A rule that lacks what it needs stays silent:
//! unknown is never a finding. Never reads or changes anything; the sentences are in
//! `wording::audit`.
mod alignment;
mod barrier_words;
mod barriers;
mod boot;
mod host;
mod names;
mod options;
mod panic;
mod queue;
pub mod setup;
mod timeouts;
mod volumes;
mod words;

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

pub use crate::finding::{Finding, Severity};
use crate::fstab::Entry;
use crate::kernel_version::KernelRelease;
use crate::observation::Observation;
use crate::order;
use crate::policy::Policy;
use crate::text::Text;
use crate::verdict::report::{DiskReport, Report};
use crate::volume::Volume;
use crate::wording::audit::Said;
use setup::Setup;

pub use barrier_words::{Effect, Spoken};
pub use boot::Cause;
pub use options::Origin;

/// All rules, by subject.
const SUBJECTS: [&[Rule]; 12] = [
    barriers::RULES,
    barrier_words::RULES,
    options::RULES,
    volumes::RULES,
    words::RULES,
    queue::RULES,
    alignment::RULES,
    names::RULES,
    panic::RULES,
    boot::RULES,
    timeouts::RULES,
    host::RULES,
];

/// One rule.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Kebab-case; also in JSON.
    pub id: &'static str,
    /// How bad it is where it applies.
    pub severity: Severity,
    /// What it means, in one sentence.
    pub meaning: &'static str,
    look: fn(&Case<'_>) -> Vec<Hit>,
}

/// Everything that rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What was seen of kernel, disks and volumes.
    pub seen: &'a Observation,
    /// How the machine is set up.
    pub setup: &'a Setup,
    /// The block device of each line of fstab whose source was found, by its name.
    pub carriers: &'a BTreeMap<usize, Text>,
    /// The verdict of each disk.
    pub disks: &'a [DiskReport],
    /// What was kept in `/run`.
    pub reports: &'a [Report],
    /// The policy in force; the defaults where the configuration is wrong.
    pub policy: &'a Policy,
    /// What is wrong with the configuration.
    pub problems: &'a [Problem],
}

/// Something that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, with line and column where they are known.
    pub place: String,
    /// What is so.
    pub text: String,
    /// What to do, where that is known.
    pub remedy: Option<String>,
}

/// A place where a rule applies, and what is to be said about it.
struct Hit {
    place: String,
    said: Said,
}

impl Hit {
    fn new(place: impl Into<String>, said: Said) -> Self {
        Hit { place: place.into(), said }
    }
}

/// Every rule, in the order of the subjects.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    SUBJECTS.into_iter().flatten()
}

/// Applies every rule; the worst findings first.
pub fn audit(case: &Case<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = rules().flat_map(|rule| rule.apply(case)).collect();
    order::sort_by_key(&mut findings, |finding| core::cmp::Reverse(finding.severity));
    findings
}

/// The worst of them; none where there are none.
pub fn worst(findings: &[Finding]) -> Option<Severity> {
    findings.iter().map(|finding| finding.severity).max()
}

impl Rule {
    fn apply(&self, case: &Case<'_>) -> impl Iterator<Item = Finding> {
        let Rule { id: rule, severity, .. } = *self;
        (self.look)(case).into_iter().map(move |Hit { place, said }| {
            let Said { text, remedy } = said;
            Finding { rule, severity, place, text, remedy }
        })
    }
}

impl Case<'_> {
    /// Whether this is a running Xen guest with disks to guard.
    fn is_guest(&self) -> bool {
        self.seen.xen.is_guest() && !self.seen.disks.is_empty()
    }

    /// Every kernel that runs or may be booted here.
    fn kernels(&self) -> Vec<KernelRelease> {
        let stages = &self.setup.stages;
        let names = stages.running.iter().chain(&stages.releases);
        let mut kernels: Vec<KernelRelease> = Vec::new();
        for kernel in names.filter_map(KernelRelease::parse) {
            if !kernels.contains(&kernel) {
                kernels.push(kernel);
            }
        }
        kernels
    }

    /// The block device that a line of fstab means, where that is known.
    fn device_of(&self, entry: &Entry) -> Option<Text> {
        let carrier = self.carriers.get(&entry.line).cloned();
        carrier.or_else(|| self.mounted_device(&entry.mount_point))
    }

    /// The block device that carries what is mounted there.
    fn mounted_device(&self, mount_point: &Text) -> Option<Text> {
        let mut mounts = self.setup.mounts.iter();
        let mount = mounts.rfind(|mount| mount.mount_point == *mount_point)?;
        let is_it =
            |volume: &&Volume| volume.device == mount.device || volume.mount_point == *mount_point;
        Some(self.seen.volumes.iter().find(is_it)?.device_name.clone())
    }

    /// A line of fstab, as findings name it.
    fn line(&self, entry: &Entry) -> String {
        alloc::format!("/etc/fstab:{}", entry.line)
    }

    /// Whether this may become one: a guest, or the files of one that does not run.
    fn may_be_guest(&self) -> bool {
        self.is_guest() || self.seen.boot_id.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_in_kebab_case() {
        let mut ids: Vec<&str> = rules().map(|rule| rule.id).collect();
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(ids.iter().all(|id| id.bytes().all(fits)), "{ids:?}");
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn the_meaning_of_a_rule_is_one_sentence() {
        for rule in rules() {
            let is_sentence = rule.meaning.len() > 20 && !rule.meaning.contains(". ");
            assert!(is_sentence && !rule.meaning.ends_with('.'), "{}: {}", rule.id, rule.meaning);
        }
    }

    #[test]
    fn a_machine_of_which_nothing_is_known_has_no_findings() {
        let (seen, setup, carriers, policy) = Default::default();
        let case = Case {
            seen: &seen,
            setup: &setup,
            carriers: &carriers,
            disks: &[],
            reports: &[],
            policy: &policy,
            problems: &[],
        };
        assert_eq!(audit(&case), []);
    }
}
