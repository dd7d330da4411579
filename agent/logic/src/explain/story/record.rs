//! One subject of the story while the log is still being read.
//!
//! Bounded: as many findings as there are messages, a few names, and of each text some hundred
//! bytes. What is counted never overflows.

use alloc::vec::Vec;

use super::{Boot, Event, Finding, Moment, Named, Verdict, WallTime, Weight, is_same};
use crate::explain::form::Time;
use crate::explain::form::wall::Wall;
use crate::kernel_log::matcher::Subsystem;
use crate::order;
use crate::text::Text;

/// Bytes of a message that are kept.
const TEXT_BYTES: usize = 400;

/// Names of one disk that are kept.
const MOST_NAMES: usize = 24;

/// After so long without a failure the next one is another incident, with a cause of its own.
const QUIET_US: u64 = 3600 * 1_000_000;

/// Lines of several processors are at most so far out of order.
const DISORDER_US: u64 = 100_000;

/// When a line was said: a moment that costs nothing to keep.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The line of the log, from 1.
    pub line: u64,
    boot_us: Option<u64>,
    wall: [u8; Stamp::WALL],
    wall_bytes: u8,
}

impl Stamp {
    /// The longest wall clock of any form.
    const WALL: usize = 40;

    /// The time of an entry.
    pub fn new(line: u64, time: Time<'_>) -> Stamp {
        let mut wall = [0; Stamp::WALL];
        let bytes = time.wall.len().min(Stamp::WALL);
        wall[..bytes].copy_from_slice(&time.wall[..bytes]);
        Stamp { line, boot_us: time.boot_us, wall, wall_bytes: bytes as u8 }
    }

    /// The same as a value of the story.
    pub fn moment(&self) -> Moment {
        let text = &self.wall[..usize::from(self.wall_bytes)];
        let wall = Wall::parse(text).map(|wall| WallTime { text: Text::from(text), wall });
        Moment { line: self.line, boot_us: self.boot_us, wall }
    }

    /// Whether this was said before, by the kernel's clock: a file may hold an older part of a log
    /// behind a newer one.
    pub fn is_before(&self, other: &Stamp) -> bool {
        self.boot_us.zip(other.boot_us).is_some_and(|(this, other)| this < other)
    }

    /// The same by more than what several processors may put out of order.
    pub fn is_well_before(&self, other: &Stamp) -> bool {
        let lead = self.boot_us.zip(other.boot_us).map(|(this, other)| other.saturating_sub(this));
        lead.is_some_and(|lead| lead > DISORDER_US)
    }

    /// Whether so much time lies between that the two have nothing to do with each other; not where
    /// the log does not tell.
    pub fn is_long_after(&self, earlier: &Stamp) -> bool {
        self.is_after(earlier, QUIET_US)
    }

    /// Whether more than so many microseconds lie between; not where the log does not tell.
    pub fn is_after(&self, earlier: &Stamp, us: u64) -> bool {
        let since = match self.boot_us.zip(earlier.boot_us) {
            Some((now, then)) => now.checked_sub(then),
            None => self.moment().us_since(&earlier.moment()),
        };
        since.is_some_and(|since| since > us)
    }
}

/// One line, as far as it matters to a subject.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// What.
    pub event: Event,
    /// When.
    pub stamp: Stamp,
    /// The message.
    pub text: &'a [u8],
    /// The name that it used; empty where it names nothing.
    pub name: &'a [u8],
}

/// Where a fall began.
#[derive(Debug, Clone)]
pub struct Begin {
    /// What was said.
    pub event: Event,
    /// When.
    pub stamp: Stamp,
    /// The message.
    pub text: Text,
    /// What it proves.
    pub verdict: Verdict,
    /// The name in it; empty where there is none.
    pub name: Text,
    /// On which host.
    pub host: usize,
}

/// What tells subjects apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The host's place.
    pub host: usize,
    /// Its boot.
    pub boot: u32,
    /// The name of the disk or path; none for messages without one.
    pub name: Option<Text>,
}

/// A subject in the making.
#[derive(Debug)]
pub struct Record {
    /// Which.
    pub key: Key,
    /// The names that the log used.
    pub names: Vec<Named>,
    /// What was said.
    pub findings: Vec<Told>,
    /// The boot as the story shows it; whether it is past is known at the end.
    pub boot: Boot,
    /// The deepest state so far.
    pub verdict: Verdict,
    /// Where the fall to it began.
    pub cause: Option<Begin>,
    /// The incident that goes on: its first failure and its last.
    pub run: Option<(Begin, Stamp)>,
    /// Whether flushes are sent, as far as blkfront said.
    pub flushes: Flushes,
    /// When it was made good.
    pub recovered: Option<Stamp>,
}

/// What blkfront said about flushes of a disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Flushes {
    /// Nothing yet, or that there are none: healthy.
    #[default]
    Unknown,
    /// They are sent.
    Sent,
    /// They were refused, or given up.
    Refused,
}

/// A finding in the making.
#[derive(Debug)]
pub struct Told {
    event: Event,
    weight: Weight,
    first: Stamp,
    last: Stamp,
    count: u64,
    text: Text,
}

impl Told {
    /// The same was said again, or the file holds a part of the log twice: what was said between
    /// the first and the last that are known is known.
    fn again(&mut self, said: &Said<'_>) {
        if said.stamp.is_before(&self.first) {
            (self.first, self.text) = (said.stamp, cut(said.text));
        } else if said.stamp.is_well_before(&self.last) {
            return;
        } else if !said.stamp.is_before(&self.last) {
            self.last = said.stamp;
        }
        self.count = self.count.saturating_add(1);
    }
}

impl Record {
    /// A subject of which nothing is known.
    pub fn new(key: Key, boot: Boot) -> Record {
        Record {
            key,
            names: Vec::new(),
            findings: Vec::new(),
            boot,
            verdict: Verdict::Healthy,
            cause: None,
            run: None,
            flushes: Flushes::Unknown,
            recovered: None,
        }
    }

    /// Whether anything in it is worth a place in the story.
    pub fn has_findings(&self) -> bool {
        self.findings.iter().any(|told| told.weight != Weight::Note)
    }

    /// Whether the log used this name for it.
    pub fn is_called(&self, name: &[u8]) -> bool {
        self.names.iter().any(|named| is_same(named.name.as_bytes(), name))
    }

    /// Counts a line.
    pub fn tell(&mut self, said: &Said<'_>, weight: Weight) {
        let same = |told: &&mut Told| told.event == said.event && told.weight == weight;
        if let Some(told) = self.findings.iter_mut().find(same) {
            return told.again(said);
        }
        self.findings.push(Told {
            event: said.event,
            weight,
            first: said.stamp,
            last: said.stamp,
            count: 1,
            text: cut(said.text),
        });
    }

    /// Notes a failure. `path` is a failure of the host that may be behind it.
    pub fn fail(&mut self, said: &Said<'_>, verdict: Verdict, path: Option<&Begin>) {
        let goes_on = self.run.as_ref().filter(|run| !said.stamp.is_long_after(&run.1));
        if goes_on.is_none() {
            self.run = Some((begin(said, verdict, self.key.host), said.stamp));
        }
        if let Some((first, last)) = &mut self.run {
            *last = said.stamp;
            if said.stamp.is_before(&first.stamp) {
                *first = begin(said, verdict, self.key.host);
                let is_cause = |cause: &&mut Begin| said.stamp.is_before(&cause.stamp);
                let own = self.cause.as_mut().filter(|cause| cause.host == self.key.host);
                own.filter(is_cause).into_iter().for_each(|cause| cause.clone_from(first));
            }
            if verdict > self.verdict {
                let path = path.filter(|path| path.stamp.line < first.stamp.line);
                self.cause = Some(path.unwrap_or(first).clone());
                self.verdict = verdict;
            }
        }
        if verdict == Verdict::Refused {
            self.flushes = Flushes::Refused;
        }
        if let Some(named) = self.named(said).filter(|_| verdict != Verdict::Refused) {
            named.now = named.now.max(verdict);
        }
        self.recovered = None;
    }

    /// What the message calls it was mounted anew, or a path is back.
    pub fn make_good(&mut self, said: &Said<'_>) {
        if self.is_old_news(said) {
            return;
        }
        let Some(named) = self.named(said) else { return };
        let was_bad = named.now != Verdict::Healthy;
        named.now = Verdict::Healthy;
        if was_bad {
            self.recovered = Some(said.stamp);
        }
    }

    /// blkfront says what it sends. "disabled" at the first connect is healthy; after flushes were
    /// sent it means that they were given up (up to 6.10).
    pub fn take_flushes(&mut self, said: &Said<'_>, are_sent: bool, path: Option<&Begin>) {
        if self.is_old_news(said) {
            return;
        }
        let has_failed = self.flushes == Flushes::Refused;
        if are_sent {
            self.flushes = Flushes::Sent;
            if has_failed {
                self.recovered = Some(said.stamp);
            }
        } else if self.flushes != Flushes::Unknown {
            self.tell(said, Weight::Proves(Verdict::Refused));
            self.fail(said, Verdict::Refused, path);
        }
    }

    /// Whether this was said before the last failure: a part of the log that the file holds twice.
    fn is_old_news(&self, said: &Said<'_>) -> bool {
        self.run.as_ref().is_some_and(|(_, last)| said.stamp.is_before(last))
    }

    /// The state at the end, as far as the log tells.
    pub fn now(&self) -> Verdict {
        let by_name = self.names.iter().map(|named| named.now).max().unwrap_or_default();
        let by_flush = match self.flushes {
            Flushes::Refused => Verdict::Refused,
            _ => Verdict::Healthy,
        };
        by_name.max(by_flush)
    }

    /// The findings as the story shows them.
    pub fn shown_findings(&self) -> Vec<Finding> {
        let mut told: Vec<&Told> = self.findings.iter().collect();
        if told.iter().all(|told| told.first.boot_us.is_some()) {
            order::sort_by_key(&mut told, |told| (told.first.boot_us, told.first.line));
        }
        let shown = told.into_iter().map(|told| Finding {
            event: told.event,
            weight: told.weight,
            first: told.first.moment(),
            last: told.last.moment(),
            count: told.count,
            text: told.text.clone(),
        });
        shown.collect()
    }

    /// The line of the first finding.
    pub fn first_line(&self) -> u64 {
        self.findings.iter().map(|told| told.first.line).min().unwrap_or(u64::MAX)
    }

    fn named(&mut self, said: &Said<'_>) -> Option<&mut Named> {
        let known = self.names.iter().position(|named| is_same(named.name.as_bytes(), said.name));
        if known.is_none() && self.names.len() < MOST_NAMES {
            self.names.push(Named { name: Text::from(said.name), ..Named::default() });
        }
        let place = known.or(self.names.len().checked_sub(1))?;
        let named = self.names.get_mut(place)?;
        named.file_system = named.file_system.or(file_system(said.event));
        Some(named)
    }
}

/// The first bytes of a message.
fn cut(text: &[u8]) -> Text {
    Text::from(&text[..text.len().min(TEXT_BYTES)])
}

/// A failure as the beginning of others.
pub fn begin(said: &Said<'_>, verdict: Verdict, host: usize) -> Begin {
    Begin {
        event: said.event,
        stamp: said.stamp,
        text: cut(said.text),
        verdict,
        name: Text::from(said.name),
        host,
    }
}

/// Whether a file system speaks, and which.
fn file_system(event: Event) -> Option<Subsystem> {
    let Event::Kernel(id) = event else { return None };
    let subsystem = id.subsystem();
    let is_one = !matches!(
        subsystem,
        Subsystem::Block
            | Subsystem::DeviceMapper
            | Subsystem::Drbd
            | Subsystem::Iscsi
            | Subsystem::Kernel
            | Subsystem::Mm
            | Subsystem::Scsi
            | Subsystem::Vfs
            | Subsystem::XenBlkfront
    );
    is_one.then_some(subsystem)
}
