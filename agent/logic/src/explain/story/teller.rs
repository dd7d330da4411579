//! From entries to a story, one at a time.
//!
//! Keeps a bounded number of subjects; where there are more, those without findings make room, and
//! then the rest is counted together, its deepest state and first line kept.

use alloc::vec::Vec;

use super::boots::Hosts;
use super::meaning::Meaning;
use super::names::Names;
use super::record::{Begin, Key, Record, Said, Stamp, begin};
use super::{Boot, Cause, Event, Extent, Overflow, Story, Subject, Verdict, Weight, is_same};
use crate::block::BlockTree;
use crate::explain::daemons::{self, DaemonId};
use crate::explain::form::{Entry, Speaker};
use crate::kernel_log::matcher::{self, Capture, Match};
use crate::kernel_version::KernelVersion;
use crate::order;
use crate::text::Text;

/// Subjects that are kept, of all boots and hosts.
const MOST_SUBJECTS: usize = 128;

/// An error below reaches what lies above within this time.
const BELOW_US: u64 = 60 * 1_000_000;

/// Tells the story of the entries that it is given.
#[derive(Debug, Default)]
pub struct Teller {
    hosts: Hosts,
    names: Names,
    records: Vec<Record>,
    /// The record of the last finding: floods are about one thing.
    last: usize,
    /// The trouble of the host's paths that goes on, DRBD's and that of the others: the first
    /// message and the last.
    paths: [Option<(Begin, Stamp)>; 2],
    overflow: Option<(Begin, u64)>,
    extent: Extent,
    /// Whether a failure is told by a line that is more than tagged.
    is_proven: bool,
    is_tagged: bool,
    kernel: Option<KernelVersion>,
}

impl Teller {
    /// With what sysfs proves about names, and the kernel where the log does not tell it.
    pub fn new(tree: BlockTree, kernel: Option<KernelVersion>) -> Teller {
        Teller { names: Names::new(tree), kernel, ..Teller::default() }
    }

    /// Takes what one line says.
    pub fn take(&mut self, line: u64, entry: &Entry<'_>) {
        if let Speaker::Other(name) = entry.speaker {
            self.extent.other_messages += 1;
            if let Some(said) = daemons::find(name, entry.text) {
                self.take_daemon(line, entry, said);
            }
            return;
        }
        let host = self.hosts.enter(entry);
        let found = matcher::find(entry.text);
        let has_form = entry.speaker != Speaker::Unsaid
            || entry.time.boot_us.is_some()
            || !entry.time.wall.is_empty();
        if found.is_some() || (has_form && !entry.text.is_empty()) {
            self.extent.kernel_messages += 1;
        }
        match found {
            Some(found) => self.take_found(line, entry, host, &found),
            None => self.names.take(host, entry.text),
        }
    }

    /// Takes a line of the commonest form. Few of a log's lines say anything, so that all that is
    /// done for the others is done as fast as memory is read.
    pub fn take_plain(&mut self, line: u64, boot_us: u64, text: &[u8]) {
        let host = self.hosts.enter_plain(boot_us, text);
        self.extent.kernel_messages += u64::from(!text.is_empty());
        match matcher::find(text) {
            Some(found) => {
                self.take_found(line, &Entry::plain(boot_us, text), host, &found);
            }
            None => self.names.take(host, text),
        }
    }

    /// Ends the story; `lines` is how many lines there were.
    pub fn finish(mut self, lines: u64) -> Story {
        self.records.retain(Record::has_findings);
        order::sort_by_key(&mut self.records, Record::first_line);
        let first_cause = self.first_cause();
        let subjects: Vec<Subject> = self.records.iter().map(|one| self.subject(one)).collect();
        let overflow = self.overflow.as_ref().map(|(first, count)| Overflow {
            verdict: first.verdict,
            count: *count,
            first: self.cause(first),
        });
        let verdict = subjects.iter().map(|subject| subject.verdict).max().unwrap_or_default();
        let verdict = verdict.max(overflow.as_ref().map(|one| one.verdict).unwrap_or_default());
        let (hosts, boots) = self.hosts.count();
        let could_be_forged = self.is_tagged && !self.is_proven;
        let extent = Extent { lines, hosts, boots, could_be_forged, ..self.extent };
        Story { verdict, first_cause, subjects, overflow, extent }
    }

    fn take_daemon(&mut self, line: u64, entry: &Entry<'_>, said: daemons::Said<'_>) {
        let host = self.hosts.enter(entry);
        // iscsid writes the numbers of a connection, the kernel its name.
        let name = match said.id {
            DaemonId::IscsidError | DaemonId::IscsidRecovered => {
                [b"connection", said.path].concat()
            }
            DaemonId::MultipathdNoPath | DaemonId::MultipathdPaths => said.path.to_vec(),
        };
        let told = Said {
            event: Event::Daemon(said.id),
            stamp: Stamp::new(line, entry.time),
            text: entry.text,
            name: &name,
        };
        if said.id.is_good_news() {
            self.path_back(host, &told);
        } else {
            self.path_lost(host, &told, Weight::Proves(Verdict::Stalled));
        }
    }

    fn take_found(&mut self, line: u64, entry: &Entry<'_>, host: usize, found: &Match<'_>) {
        let said = Said {
            event: Event::Kernel(found.id),
            stamp: Stamp::new(line, entry.time),
            text: entry.text,
            name: found.device.or(found.get(Capture::Member)).unwrap_or(b""),
        };
        match Meaning::of(found) {
            Meaning::Finding(weight) => {
                let (is_failure, is_tag) =
                    (weight > Weight::Option, entry.speaker == Speaker::Tagged);
                self.is_proven |= is_failure && !is_tag;
                self.is_tagged |= is_failure && is_tag;
                self.finding(host, &said, weight);
            }
            Meaning::Path(weight) => self.path_lost(host, &said, weight),
            Meaning::PathBack => self.path_back(host, &said),
            Meaning::Flushes { are_sent } => {
                let path = self.path_behind(&said.stamp);
                if let Some(record) = self.record(host, &said) {
                    record.take_flushes(&said, are_sent, path.as_ref());
                }
            }
            Meaning::Mounted => {
                if let Some(record) = self.known(host, said.name) {
                    self.records[record].make_good(&said);
                }
            }
            Meaning::Dropped(count) => {
                self.extent.dropped = self.extent.dropped.saturating_add(count);
            }
            Meaning::Nothing => {}
        }
    }

    fn finding(&mut self, host: usize, said: &Said<'_>, weight: Weight) {
        let path = self.path_behind(&said.stamp);
        let verdict = weight.verdict();
        let Some(record) = self.record(host, said) else {
            return self.overflow(host, said, verdict);
        };
        record.tell(said, weight);
        if verdict == Verdict::Healthy {
            return;
        }
        let is_deeper = verdict > record.verdict;
        record.fail(said, verdict, path.as_ref());
        if is_deeper {
            self.look_for_cause();
        }
    }

    /// No journal dies and no page is lost by itself: a request failed below. Where no request of
    /// the same device did, the cause is the one that failed right before on this host. Whether the
    /// one lies on the other is not known; that is why they stay two.
    fn look_for_cause(&mut self) {
        let record = &self.records[self.last];
        let Some(cause) = record.cause.as_ref().filter(|one| !one.event.is_of_request()) else {
            return;
        };
        let same_boot = |other: &&Record| {
            (other.key.host, other.key.boot) == (record.key.host, record.key.boot)
        };
        let others = self.records.iter().filter(same_boot).filter_map(|other| other.run.as_ref());
        let before = others.filter(|(first, last)| {
            first.event.is_of_request()
                && first.stamp.line < cause.stamp.line
                && !cause.stamp.is_after(last, BELOW_US)
        });
        let earliest = before.map(|(first, _)| first).min_by_key(|first| first.stamp.line).cloned();
        if earliest.is_some() {
            self.records[self.last].cause = earliest;
        }
    }

    fn path_lost(&mut self, host: usize, said: &Said<'_>, weight: Weight) {
        let path = &mut self.paths[usize::from(said.name.starts_with(b"drbd"))];
        match path {
            Some((_, last)) if !said.stamp.is_long_after(last) => *last = said.stamp,
            _ => *path = Some((begin(said, weight.verdict(), host), said.stamp)),
        }
        self.finding(host, said, weight);
    }

    fn path_back(&mut self, host: usize, said: &Said<'_>) {
        if let Some(record) = self.record(host, said) {
            record.tell(said, Weight::Note);
            record.make_good(said);
        }
    }

    /// The trouble of a path that may be behind a failure now: of two the later.
    fn path_behind(&self, now: &Stamp) -> Option<Begin> {
        let open = self.paths.iter().flatten().filter(|(_, last)| !now.is_long_after(last));
        open.map(|(first, _)| first).max_by_key(|first| first.stamp.line).cloned()
    }

    /// The record of what a message names, made where there is none yet.
    fn record(&mut self, host: usize, said: &Said<'_>) -> Option<&mut Record> {
        if let Some(known) = self.known(host, said.name) {
            self.last = known;
            return self.records.get_mut(known);
        }
        if self.records.len() == MOST_SUBJECTS {
            let spare = self.records.iter().position(|one| one.findings.is_empty())?;
            self.records.swap_remove(spare);
        }
        let key = self.key(host, said.name);
        let kernel = self.hosts.get(host).kernel.or(self.kernel);
        let boot = Boot { index: key.boot, is_past: false, kernel };
        self.records.push(Record::new(key, boot));
        self.last = self.records.len() - 1;
        self.records.last_mut()
    }

    fn known(&self, host: usize, name: &[u8]) -> Option<usize> {
        let boot = self.hosts.get(host).boot;
        let is_it = |record: &Record| {
            let Key { host: its_host, boot: its_boot, name: its_name } = &record.key;
            let is_here = *its_host == host && *its_boot == boot;
            is_here
                && match its_name {
                    Some(disk) => is_same(disk.as_bytes(), name) || record.is_called(name),
                    None => name.is_empty(),
                }
        };
        if self.records.get(self.last).is_some_and(is_it) {
            return Some(self.last);
        }
        self.records.iter().position(is_it).or_else(|| {
            let key = self.key(host, name);
            self.records.iter().position(|record| record.key == key)
        })
    }

    fn key(&self, host: usize, name: &[u8]) -> Key {
        let disk = (!name.is_empty()).then(|| self.names.disk(host, name));
        Key { host, boot: self.hosts.get(host).boot, name: disk }
    }

    fn overflow(&mut self, host: usize, said: &Said<'_>, verdict: Verdict) {
        if verdict == Verdict::Healthy {
            return;
        }
        match &mut self.overflow {
            Some((first, count)) => {
                *count = count.saturating_add(1);
                if verdict > first.verdict {
                    *first = begin(said, verdict, host);
                }
            }
            None => self.overflow = Some((begin(said, verdict, host), 1)),
        }
    }

    /// Of all that fell deepest, the fall that began first.
    fn first_cause(&self) -> Option<Cause> {
        let all = self.records.iter().filter_map(|one| Some((one.verdict, one.cause.as_ref()?)));
        let beyond = self.overflow.iter().map(|(first, _)| (first.verdict, first));
        let deepest = all
            .chain(beyond)
            .max_by_key(|(verdict, cause)| (*verdict, core::cmp::Reverse(cause.stamp.line)));
        deepest.map(|(_, cause)| self.cause(cause))
    }

    fn cause(&self, begin: &Begin) -> Cause {
        Cause {
            event: begin.event,
            device: (!begin.name.is_empty()).then(|| begin.name.clone()),
            host: self.host_name(begin.host),
            at: begin.stamp.moment(),
            text: begin.text.clone(),
            verdict: begin.verdict,
        }
    }

    fn subject(&self, record: &Record) -> Subject {
        let last_boot = self.hosts.get(record.key.host).boot;
        Subject {
            name: record.key.name.clone(),
            names: record.names.iter().filter(|named| !named.name.is_empty()).cloned().collect(),
            host: self.host_name(record.key.host),
            boot: Boot { is_past: record.key.boot < last_boot, ..record.boot },
            verdict: record.verdict,
            now: record.now(),
            cause: record.cause.as_ref().map(|cause| self.cause(cause)),
            findings: record.shown_findings(),
            recovered: record.recovered.as_ref().map(Stamp::moment),
        }
    }

    fn host_name(&self, host: usize) -> Option<Text> {
        let name = &self.hosts.get(host).name;
        (!name.is_empty()).then(|| Text::from(&name[..]))
    }
}
