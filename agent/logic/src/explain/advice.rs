//! What to do about a story, and what is useless. The words are in `wording::explain`.
//!
//! Advice follows from causes and kernels alone; nothing here is ever carried out.

use alloc::vec::Vec;

use super::story::{Event, Finding, Story, Subject, Verdict, Weight};
use crate::kernel_log::matcher::{Id, Subsystem};
use crate::kernel_version::KernelVersion;
use crate::text::Text;

/// What a person should do, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The storage does not answer: wait, nothing is lost.
    Wait,
    /// The host or its paths failed; `is_full` where it ran out of space.
    LookAtHost {
        /// Whether "space allocation" failed: a thin pool.
        is_full: bool,
    },
    /// The log is the host's alone: what became of the guests is in their logs.
    AskGuests,
    /// A file system is dead until it is mounted anew.
    Revive {
        /// Its device as the kernel names it.
        device: Text,
        /// Which file system, where it said so.
        file_system: Option<Subsystem>,
    },
    /// A file system found errors in itself, or lost data; its journal is alive.
    Check {
        /// Its device as the kernel names it.
        device: Text,
        /// Which file system, where it said so.
        file_system: Option<Subsystem>,
    },
    /// The backend refuses flushes: before the next boot the guest must know.
    Flushes {
        /// The disks.
        disks: Vec<Text>,
        /// What that kernel does.
        era: FlushEra,
    },
    /// The backend answered flushes with errors, as it does while its storage is away: from then on
    /// none is sent until the disk is connected anew.
    Reconnect {
        /// The disks.
        disks: Vec<Text>,
    },
    /// A mount option that the kernel refused.
    Option {
        /// As the kernel said it.
        text: Text,
    },
    /// Everything was in an earlier boot than the last one of the log.
    Past,
}

/// What kernels do about a flush that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlushEra {
    /// Before 2.6.37: jbd notices and goes on without barriers.
    Survives,
    /// Up to 4.6: the next commit aborts; only mount options help.
    MountOption,
    /// 4.7 to 6.10: it aborts; `queue/write_cache` prevents it.
    WriteCache,
    /// 6.11 on: nothing aborts, and nothing is flushed any more.
    Silent,
    /// The log does not tell the kernel.
    Unknown,
}

/// What is often tried and does nothing, or harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Useless {
    /// `mount -o remount,rw` on a dead journal.
    RemountRw,
    /// `errors=continue`
    ErrorsContinue,
    /// `barriers=0`
    Barriers0,
    /// `write back` into `queue/write_cache` after a flush failed.
    WriteBack,
    /// `timeout=` and `retry=` in a guest's disk line, `suspend_timeout`.
    Timeouts,
}

/// Advice for a story.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Advice {
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What not to bother with.
    pub useless: Vec<Useless>,
}

/// Steps about single devices that are listed.
const MOST_DEVICES: usize = 16;

impl FlushEra {
    /// The era of a kernel.
    pub fn of(kernel: Option<KernelVersion>) -> FlushEra {
        match kernel {
            None => FlushEra::Unknown,
            Some(kernel) if kernel < KernelVersion::new(2, 6, 37) => FlushEra::Survives,
            Some(kernel) if kernel < KernelVersion::new(4, 7, 0) => FlushEra::MountOption,
            Some(kernel) if kernel.aborts_on_failed_flush() => FlushEra::WriteCache,
            Some(_) => FlushEra::Silent,
        }
    }

    /// What messages tell that only some kernels print (the table says which).
    fn told_by(findings: &[Finding]) -> FlushEra {
        let said = |ids: &[Id]| {
            let mut events = findings.iter().map(|finding| finding.event);
            events.any(|event| ids.iter().any(|id| event == Event::Kernel(*id)))
        };
        let gave_up = said(&[Id::BlkfrontFlushState311]);
        if said(&[Id::BlkfrontBarrierFail26, Id::JbdBarrierFail]) {
            FlushEra::Survives
        } else if said(&[
            Id::BlkfrontBarrierFailSwapped,
            Id::BlkfrontEmptyFailSwapped,
            Id::BlkEndRequestTyped,
            Id::Ext3DetectedAbort3,
            Id::Ext3RemountRo3,
        ]) {
            FlushEra::MountOption
        } else if said(&[Id::PrintReqError, Id::BlkUpdateRequestOp])
            || (gave_up && said(&[Id::BlkIoErrorOp]))
        {
            FlushEra::WriteCache
        } else {
            FlushEra::Unknown
        }
    }
}

impl Advice {
    /// What to do about this story.
    pub fn of(story: &Story) -> Advice {
        let facts = Facts::of(story);
        let mut advice = Advice { steps: facts.steps(), useless: facts.useless() };
        for subject in &story.subjects {
            advice.about(subject);
        }
        let is_past = story.subjects.iter().all(|subject| subject.boot.is_past);
        if story.has_findings() && is_past {
            advice.steps.push(Step::Past);
        }
        advice
    }

    fn about(&mut self, subject: &Subject) {
        if !subject.boot.is_past && !subject.is_path() {
            for named in subject.names.iter().filter(|named| !named.name.is_empty()) {
                let (device, file_system) = (named.name.clone(), named.file_system);
                match named.now {
                    Verdict::Aborted => self.add(Step::Revive { device, file_system }),
                    Verdict::Erring if file_system.is_some() => {
                        self.add(Step::Check { device, file_system });
                    }
                    _ => {}
                }
            }
        }
        if let (Some(disk), true) = (&subject.name, subject.now != Verdict::Healthy) {
            self.about_flushes(disk, subject);
        }
        for finding in subject.findings.iter().filter(|one| one.weight == Weight::Option) {
            self.add(Step::Option { text: finding.text.clone() });
        }
    }

    /// One step for all disks of which the same is to be said.
    fn about_flushes(&mut self, disk: &Text, subject: &Subject) {
        let refused = Weight::Proves(Verdict::Refused);
        let mut findings = subject.findings.iter().filter(|one| one.weight == refused);
        let Some(first) = findings.next() else { return };
        let era = match FlushEra::of(subject.boot.kernel) {
            FlushEra::Unknown => FlushEra::told_by(&subject.findings),
            era => era,
        };
        let disks = Vec::from([disk.clone()]);
        let step = if first.is_failed_flush() && !subject.boot.is_past {
            Step::Reconnect { disks }
        } else if first.is_failed_flush() {
            return;
        } else {
            Step::Flushes { disks, era }
        };
        let same = self.steps.iter_mut().find_map(|known| match (known, &step) {
            (Step::Flushes { disks, era }, Step::Flushes { era: its, .. }) if era == its => {
                Some(disks)
            }
            (Step::Reconnect { disks }, Step::Reconnect { .. }) => Some(disks),
            _ => None,
        });
        match same {
            Some(disks) if disks.contains(disk) || disks.len() == MOST_DEVICES => {}
            Some(disks) => disks.push(disk.clone()),
            None => self.steps.push(step),
        }
    }

    /// Adds a step once.
    fn add(&mut self, step: Step) {
        let same_kind =
            |other: &&Step| core::mem::discriminant(*other) == core::mem::discriminant(&step);
        let has_room = self.steps.iter().filter(same_kind).count() < MOST_DEVICES;
        if has_room && !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

/// What is so anywhere in a story.
#[derive(Debug, Default)]
struct Facts {
    stalls: bool,
    host_failed: bool,
    is_full: bool,
    only_host: bool,
    /// Whether a fall began with an error of the storage, not with a refused flush.
    erred: bool,
    refused: bool,
    aborted: bool,
}

impl Facts {
    fn of(story: &Story) -> Facts {
        let all = || story.subjects.iter().flat_map(|subject| &subject.findings);
        let has = |verdict| all().any(|finding| finding.weight == Weight::Proves(verdict));
        let paths = story.subjects.iter().filter(|subject| subject.is_path()).count();
        let mut causes = story.subjects.iter().filter_map(|subject| subject.cause.as_ref());
        let stalls = story.subjects.iter().any(|one| one.now == Verdict::Stalled && !one.is_path());
        Facts {
            stalls,
            host_failed: paths > 0,
            is_full: all().any(is_out_of_space),
            only_host: paths > 0 && paths == story.subjects.len(),
            erred: causes.any(|cause| cause.verdict == Verdict::Erring),
            refused: has(Verdict::Refused),
            aborted: has(Verdict::Aborted),
        }
    }

    fn steps(&self) -> Vec<Step> {
        let wait = self.stalls.then_some(Step::Wait);
        let host = self.host_failed || self.erred;
        let host = host.then_some(Step::LookAtHost { is_full: self.is_full });
        let guests = self.only_host.then_some(Step::AskGuests);
        wait.into_iter().chain(host).chain(guests).collect()
    }

    fn useless(&self) -> Vec<Useless> {
        let storage = self.host_failed || self.erred || self.stalls;
        let all = [
            (self.aborted || self.only_host, Useless::RemountRw),
            (self.aborted || self.only_host, Useless::ErrorsContinue),
            (self.refused, Useless::Barriers0),
            (self.refused, Useless::WriteBack),
            (storage, Useless::Timeouts),
        ];
        all.into_iter().filter(|(applies, _)| *applies).map(|(_, useless)| useless).collect()
    }
}

/// The kind of a request's error (blk_errors in block/blk-core.c) that a full thin pool gives.
fn is_out_of_space(finding: &Finding) -> bool {
    finding.weight == Weight::Proves(Verdict::Erring)
        && finding.text.contains("critical space allocation error")
}
