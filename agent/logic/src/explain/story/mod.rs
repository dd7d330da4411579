//! The story: by device, in time order, boots told apart, first cause kept, consequences folded.
//!
//! Told from single entries by `teller`, in constant memory whatever the length of the log. Only
//! what the log says counts: two names are one thing where the log or sysfs proves it, and a
//! message that names no device belongs to none.

mod boots;
pub(crate) mod meaning;
mod names;
mod record;
mod teller;

use alloc::vec::Vec;
use core::fmt;

use super::daemons::DaemonId;
use super::form::wall::Wall;
use crate::kernel_log::matcher::{Id, Subsystem};
use crate::kernel_version::KernelVersion;
use crate::text::Text;

pub use teller::Teller;

/// How deep something fell, from least to most.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The log proves no failure.
    #[default]
    Healthy,
    /// Something waited for the storage; nothing is lost.
    Stalled,
    /// The backend refused a flush or barrier that it had promised.
    Refused,
    /// Reads or writes failed, or a file system found errors; the journal is alive.
    Erring,
    /// A journal is dead, or a file system was shut down or forced read-only.
    Aborted,
}

impl Verdict {
    /// The word in text and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Healthy => "healthy",
            Verdict::Stalled => "stalled",
            Verdict::Refused => "refused",
            Verdict::Erring => "erring",
            Verdict::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.name())
    }
}

/// What a log adds up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// The deepest state that the log proves.
    pub verdict: Verdict,
    /// Where the fall to that state began.
    pub first_cause: Option<Cause>,
    /// Everything with a finding, in the order of its first line. A device that failed in two boots
    /// is there twice.
    pub subjects: Vec<Subject>,
    /// What has no place among the subjects because there were too many.
    pub overflow: Option<Overflow>,
    /// How much of the log was understood.
    pub extent: Extent,
}

/// The finding with which a fall began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// What was said.
    pub event: Event,
    /// Of which device; none where the message names none.
    pub device: Option<Text>,
    /// On which host, where the log tells hosts apart.
    pub host: Option<Text>,
    /// When, and in which line.
    pub at: Moment,
    /// The message.
    pub text: Text,
    /// What it proves by itself.
    pub verdict: Verdict,
}

/// A disk with all that lies on it, a path of the host, or what was said of no device at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its name: that of the disk where several names are proven to be one thing. None for messages
    /// that name no device.
    pub name: Option<Text>,
    /// The names by which the log called it, in order.
    pub names: Vec<Named>,
    /// The host, where the log names one.
    pub host: Option<Text>,
    /// The boot of that host, from 0, and whether a later one follows in the log.
    pub boot: Boot,
    /// The deepest state that it reached.
    pub verdict: Verdict,
    /// The state at the end of its boot: what was undone does not count.
    pub now: Verdict,
    /// Where the fall began: on this very subject, or on a path of the host.
    pub cause: Option<Cause>,
    /// What was said of it, in time order.
    pub findings: Vec<Finding>,
    /// When it was made good for the last time, if it was and stayed so.
    pub recovered: Option<Moment>,
}

impl Subject {
    /// Whether it is a path of a storage host and no disk of a guest.
    pub fn is_path(&self) -> bool {
        self.findings.iter().any(|finding| finding.event.is_of_path())
    }
}

/// One of the names of a subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// As the kernel writes it.
    pub name: Text,
    /// The file system that spoke of it, if one did.
    pub file_system: Option<Subsystem>,
    /// How it stood with that name at the end.
    pub now: Verdict,
}

/// Which boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Boot {
    /// From 0, by host.
    pub index: u32,
    /// Whether the log shows a later one: then this is the past.
    pub is_past: bool,
    /// What runs there, if the log tells or a person said it.
    pub kernel: Option<KernelVersion>,
}

/// All lines that say the same of the same subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was said.
    pub event: Event,
    /// What it is to the verdict.
    pub weight: Weight,
    /// The first such line.
    pub first: Moment,
    /// The last one; the same as the first where there is only one.
    pub last: Moment,
    /// How many, without what the kernel dropped.
    pub count: u64,
    /// The first such message, cut after some hundred bytes.
    pub text: Text,
}

impl Finding {
    /// Whether a flush was answered with an error and not refused: blkfront calls it empty then
    /// (blkif_interrupt in drivers/block/xen-blkfront.c).
    pub fn is_failed_flush(&self) -> bool {
        is_failed_flush(self.event, &self.text)
    }
}

/// The same of any message.
pub fn is_failed_flush(event: Event, text: &Text) -> bool {
    match event {
        Event::Kernel(Id::BlkfrontEmptyFailSwapped) => true,
        Event::Kernel(Id::BlkfrontOpFail) => text.contains(": empty "),
        _ => false,
    }
}

/// What a finding is to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Said beside a failure; nothing by itself.
    Note,
    /// A mount option that this kernel does not take: no failure of the storage.
    Option,
    /// It proves this state.
    Proves(Verdict),
}

impl Weight {
    /// The state that it proves.
    pub fn verdict(self) -> Verdict {
        match self {
            Weight::Proves(verdict) => verdict,
            Weight::Note | Weight::Option => Verdict::Healthy,
        }
    }
}

/// What was said: a message of the kernel, or of a daemon of a storage host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A row of `data/kernel-messages.tsv`.
    Kernel(Id),
    /// A message of iscsid or multipathd.
    Daemon(DaemonId),
}

impl Event {
    /// The id in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Event::Kernel(id) => id.name(),
            Event::Daemon(id) => id.name(),
        }
    }

    /// Whether a request of a device failed, and not what lies above the device.
    pub fn is_of_request(self) -> bool {
        match self {
            Event::Kernel(id) => meaning::is_request(id) || meaning::is_path(id),
            Event::Daemon(_) => true,
        }
    }

    /// Whether a storage host speaks of its paths.
    pub fn is_of_path(self) -> bool {
        match self {
            Event::Kernel(id) => meaning::is_path(id),
            Event::Daemon(_) => true,
        }
    }
}

/// When and where something was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// The line of the log, from 1.
    pub line: u64,
    /// Microseconds since boot.
    pub boot_us: Option<u64>,
    /// The wall clock, where the log writes it.
    pub wall: Option<WallTime>,
}

/// The wall clock of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WallTime {
    /// As the log writes it.
    pub text: Text,
    /// As it is understood.
    pub wall: Wall,
}

impl Moment {
    /// Microseconds from another moment of the same boot to this one; none where the log does not
    /// tell, or where this one is the earlier.
    pub fn us_since(&self, earlier: &Moment) -> Option<u64> {
        let by_boot = self.boot_us.zip(earlier.boot_us).map(|(now, then)| now.checked_sub(then));
        by_boot.unwrap_or_else(|| {
            let (now, then) = (self.wall.as_ref()?, earlier.wall.as_ref()?);
            u64::try_from(now.wall.us.checked_sub(then.wall.us)?).ok()
        })
    }
}

/// What was counted together because there were too many subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overflow {
    /// The deepest state among it.
    pub verdict: Verdict,
    /// Findings, each line once.
    pub count: u64,
    /// The first of those that reached the deepest state.
    pub first: Cause,
}

/// How much of the log was understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extent {
    /// Lines in all.
    pub lines: u64,
    /// Messages that the kernel may have said.
    pub kernel_messages: u64,
    /// Messages of processes, which count for nothing.
    pub other_messages: u64,
    /// Boots of all hosts.
    pub boots: u32,
    /// Hosts that the log tells apart.
    pub hosts: u32,
    /// Lines that the kernel says it dropped.
    pub dropped: u64,
    /// Whether all failures rest on lines that any user may write: `kernel:` in a syslog file, as
    /// `logger -t kernel` writes it too.
    pub could_be_forged: bool,
}

/// Equality that never compares nothing: memcmp of no bytes reads from a pointer that points
/// nowhere, which processors with masked loads survive slowly.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

impl Story {
    /// Whether there is anything that a person should know.
    pub fn has_findings(&self) -> bool {
        !self.subjects.is_empty() || self.overflow.is_some()
    }
}
