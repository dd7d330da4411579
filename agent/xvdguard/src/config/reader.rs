//! From the tables of one file to settings: every key is taken, or its problem is noted.
//!
//! Which keys there are is not told here but in `xvdguard_logic::policy::tables`.

use std::collections::BTreeMap;
use std::ops::Range;

use xvdguard_logic::policy::Origin;
use xvdguard_logic::policy::names;
use xvdguard_logic::policy::queue::QueueRule;
use xvdguard_logic::policy::setting::{Setting, Wrong};
use xvdguard_logic::policy::settings::{MountRule, Settings};
use xvdguard_logic::policy::tables::{self, MOUNT, QUEUE, Table};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::config::{self as wording, MOUNT_HEADER, QUEUE_HEADER};

use super::document::{self, Entries, Key, Node};
use super::lines::Lines;
use super::problem::{self, Found, Problem};
use super::suggestion::nearest;

/// Puts what a file says over `settings`.
pub fn read(file: &Text, text: &str, settings: &mut Settings) -> Vec<Problem> {
    let (entries, no_toml) = document::parse(text);
    let mut reader = Reader { file, lines: Lines::of(text.as_bytes()), found: Vec::new() };
    reader.tables(&entries, settings);
    let mut found = reader.found;
    let shadows = shadows(text, &no_toml);
    found.retain(|one| !is_in(&shadows, one.span.start));
    found.extend(no_toml);
    problem::place(file, text.as_bytes(), found)
}

/// Where broken TOML makes problems of its own: to the end of its line, and below a broken header,
/// where keys seem to belong to another table, to the next header. Ends never go down.
fn shadows(text: &str, no_toml: &[Found]) -> Vec<Range<usize>> {
    let mut furthest = 0;
    let ranges = no_toml.iter().map(|broken| {
        let (before, after) = text.split_at(broken.span.start.min(text.len()));
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let is_header = text[start..].trim_start_matches([' ', '\t']).starts_with('[');
        let length = after.find(if is_header { "\n[" } else { "\n" }).unwrap_or(after.len());
        furthest = furthest.max(before.len() + length);
        start..furthest
    });
    ranges.collect()
}

fn is_in(shadows: &[Range<usize>], at: usize) -> bool {
    let begun = shadows.partition_point(|shadow| shadow.start <= at);
    begun.checked_sub(1).is_some_and(|last| at <= shadows[last].end)
}

struct Reader<'a> {
    file: &'a Text,
    lines: Lines<'a>,
    found: Vec<Found>,
}

impl Reader<'_> {
    fn tables(&mut self, entries: &Entries<'_>, settings: &mut Settings) {
        for (key, value) in entries {
            match (key.get_ref().as_ref(), Table::from_name(key.get_ref())) {
                (QUEUE, _) => self.queue(value, &mut settings.policy.queue),
                (_, Some(table)) => self.table(table, value, settings),
                (_, None) => self.unknown(key, &tables::names(), None),
            }
        }
    }

    /// A table that is there once.
    fn table(&mut self, table: Table, value: &Node<'_>, settings: &mut Settings) {
        let header = wording::header(table.name());
        let Some(entries) = self.entries(value, &header) else { return };
        let mut known = Vec::new();
        table.visit(settings, &mut |key, setting| self.take(entries, key, setting, &mut known));
        if table == Table::Recovery {
            known.push(MOUNT);
            let mounts = entries.iter().find(|(key, _)| key.get_ref() == MOUNT);
            if let Some((_, mounts)) = mounts {
                self.mounts(mounts, &mut settings.recovery.mounts);
            }
        }
        self.rest(entries, &known, &header);
    }

    fn mounts(&mut self, value: &Node<'_>, mounts: &mut BTreeMap<Text, MountRule>) {
        let Some(points) = self.entries(value, MOUNT_HEADER) else { return };
        for (point, value) in points {
            let Some(entries) = self.entries(value, MOUNT_HEADER) else { continue };
            let mut known = Vec::new();
            let rule = match names::mount_point(point.get_ref()) {
                Ok(point) => mounts.entry(point).or_default(),
                Err(objection) => {
                    let what = wording::objection(point.get_ref(), objection);
                    self.note(point.span(), what, wording::A_MOUNT_POINT);
                    &mut MountRule::default()
                }
            };
            rule.visit(&mut |key, setting| self.take(entries, key, setting, &mut known));
            self.rest(entries, &known, MOUNT_HEADER);
        }
    }

    fn queue(&mut self, value: &Node<'_>, rules: &mut Vec<QueueRule>) {
        let Some(elements) = document::as_list(value) else {
            let remedy = wording::write_header(QUEUE_HEADER);
            self.note(value.span(), wording::no_list(QUEUE), &remedy);
            return;
        };
        for element in elements {
            let Some(entries) = self.entries(element, QUEUE_HEADER) else { continue };
            let mut rule = QueueRule::default();
            let (mut known, problems) = (Vec::new(), self.found.len());
            rule.visit(&mut |key, setting| self.take(entries, key, setting, &mut known));
            self.rest(entries, &known, QUEUE_HEADER);
            if rule.settings.is_empty() && problems == self.found.len() {
                let what = wording::SETS_NOTHING.into();
                self.note(
                    element.span(),
                    what,
                    &wording::takes_one_of(&known[QueueRule::PATTERNS..]),
                );
            }
            rules.push(rule);
        }
    }

    fn entries<'b, 'c>(&mut self, value: &'c Node<'b>, header: &str) -> Option<&'c Entries<'b>> {
        let entries = document::as_table(value);
        if entries.is_none() {
            let what = wording::wrong_type(wording::A_TABLE, &document::plain(value.get_ref()));
            self.note(value.span(), what, &wording::write_header(header));
        }
        entries
    }

    /// Sets what the table says about a key, if anything.
    fn take(
        &mut self,
        entries: &Entries<'_>,
        key: &'static str,
        setting: &mut dyn Setting,
        known: &mut Vec<&'static str>,
    ) {
        known.push(key);
        let Some((name, value)) = entries.iter().find(|(name, _)| name.get_ref() == key) else {
            return;
        };
        let line = self.lines.number(name.span().start);
        let origin = Origin::File { name: self.file.clone(), line };
        let Err(wrongs) = setting.set(&document::plain(value.get_ref()), origin) else { return };
        let takes = wording::takes(key, &setting.takes());
        for Wrong { what, unknown, element } in wrongs {
            let meant = unknown.and_then(|(word, known)| nearest(&word, known));
            let what = wording::about(key, &what) + &wording::did_you_mean(meant);
            self.note(document::element(value, element), what, &takes);
        }
    }

    /// Notes every key that is not known.
    fn rest(&mut self, entries: &Entries<'_>, known: &[&'static str], header: &str) {
        let unknown = entries.keys().filter(|key| !known.contains(&key.get_ref().as_ref()));
        unknown.for_each(|key| self.unknown(key, known, Some(header)));
    }

    fn unknown(&mut self, key: &Key<'_>, known: &[&'static str], header: Option<&str>) {
        let name = key.get_ref().as_ref();
        let homes = tables::homes(name);
        let hint = match (name, homes.is_empty()) {
            ("write_cache", _) => wording::WRITE_CACHE.into(),
            (_, true) => wording::did_you_mean(nearest(name, known.iter().copied())),
            (_, false) => wording::belongs_to(&homes),
        };
        let what = wording::unknown_key(name) + &hint;
        let remedy = match header {
            Some(header) => wording::takes_keys(header, known),
            None => wording::tables(known),
        };
        self.note(key.span(), what, &remedy);
    }

    fn note(&mut self, span: Range<usize>, what: String, remedy: &str) {
        self.found.push(Found { span, what, remedy: remedy.into() });
    }
}
