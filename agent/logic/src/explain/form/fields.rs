//! The fields of a record that is spread over lines: JSON of dmesg and journalctl, journal export.
//!
//! Of each field as much is kept as can matter; never more than a few KiB in all.

use alloc::vec::Vec;

use super::{Boot, Entry, Speaker, Time};

/// A field that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The text: dmesg's `msg`, the journal's `MESSAGE`.
    Text,
    /// dmesg's `fac`.
    FacilityWord,
    /// dmesg's `pri`, or the journal's `SYSLOG_FACILITY`: numbers.
    Priority,
    /// The same, without the level.
    Facility,
    /// The journal's `_TRANSPORT`, which no process can set.
    Transport,
    /// `SYSLOG_IDENTIFIER`
    Name,
    /// `_HOSTNAME`
    Host,
    /// `_BOOT_ID`
    Boot,
    /// dmesg's `time`: seconds since boot, or a date.
    Time,
    /// `__REALTIME_TIMESTAMP`, in microseconds.
    Realtime,
    /// `__MONOTONIC_TIMESTAMP`: when the journal got it, in microseconds.
    Monotonic,
    /// `_SOURCE_MONOTONIC_TIMESTAMP`: when the kernel said it.
    SourceMonotonic,
}

/// Each field with its names, and how much of it is kept.
const KNOWN: [(&[u8], Field, usize); 13] = [
    (b"MESSAGE", Field::Text, 4096),
    (b"msg", Field::Text, 4096),
    (b"fac", Field::FacilityWord, 16),
    (b"pri", Field::Priority, 16),
    (b"time", Field::Time, 48),
    (b"SYSLOG_FACILITY", Field::Facility, 16),
    (b"_TRANSPORT", Field::Transport, 16),
    (b"SYSLOG_IDENTIFIER", Field::Name, 64),
    (b"_HOSTNAME", Field::Host, 64),
    (b"_BOOT_ID", Field::Boot, 40),
    (b"__REALTIME_TIMESTAMP", Field::Realtime, 24),
    (b"__MONOTONIC_TIMESTAMP", Field::Monotonic, 24),
    (b"_SOURCE_MONOTONIC_TIMESTAMP", Field::SourceMonotonic, 24),
];

/// The number of variants of `Field`.
const FIELDS: usize = 12;

impl Field {
    /// The field of that name.
    pub fn named(name: &[u8]) -> Option<Field> {
        KNOWN.iter().find(|(known, ..)| *known == name).map(|(_, field, _)| *field)
    }

    fn limit(self) -> usize {
        KNOWN.iter().find(|(_, field, _)| *field == self).map_or(0, |(_, _, limit)| *limit)
    }
}

/// The fields of one record.
#[derive(Debug, Default)]
pub struct Fields {
    values: [Vec<u8>; FIELDS],
}

impl Fields {
    /// Forgets the record before.
    pub fn clear(&mut self) {
        self.values.iter_mut().for_each(Vec::clear);
    }

    /// Keeps the value of a field, the first one where there are several.
    pub fn set(&mut self, field: Field, value: &[u8]) {
        let kept = &mut self.values[field as usize];
        if kept.is_empty() {
            kept.extend_from_slice(&value[..value.len().min(field.limit())]);
        }
    }

    /// Adds a byte to the value of a field.
    pub fn push(&mut self, field: Field, byte: u8) {
        let kept = &mut self.values[field as usize];
        if kept.len() < field.limit() {
            kept.push(byte);
        }
    }

    /// The record as one entry; none where it has no text.
    pub fn entry(&self) -> Option<Entry<'_>> {
        let text = self.get(Field::Text);
        if text.is_empty() {
            return None;
        }
        let boot = self.get(Field::Boot);
        let boot = if boot.is_empty() { Boot::Unsaid } else { Boot::Id(boot) };
        let host = self.get(Field::Host);
        Some(Entry { text, speaker: self.speaker(), time: self.time(), host, boot })
    }

    fn get(&self, field: Field) -> &[u8] {
        &self.values[field as usize]
    }

    fn number(&self, field: Field) -> Option<u64> {
        core::str::from_utf8(self.get(field)).ok()?.parse().ok()
    }

    fn speaker(&self) -> Speaker<'_> {
        let name = self.get(Field::Name);
        let is_kern = self.number(Field::Facility).is_none_or(|facility| facility == 0);
        match (self.get(Field::Transport), self.get(Field::FacilityWord)) {
            (b"kernel", _) if is_kern => Speaker::Kernel,
            (b"", b"kern") => Speaker::Kernel,
            (b"", b"") if self.get(Field::Name).is_empty() => self.by_priority(),
            (b"", b"") if name == b"kernel" && is_kern => Speaker::Tagged,
            _ => Speaker::Other(name),
        }
    }

    /// dmesg --json without -x: util-linux before 2.39 prints facility and level added up, so that
    /// a number below 8 proves nothing.
    fn by_priority(&self) -> Speaker<'_> {
        match self.number(Field::Priority) {
            Some(priority) if priority >= 8 => Speaker::Other(b""),
            _ => Speaker::Unsaid,
        }
    }

    fn time(&self) -> Time<'_> {
        let source = self.number(Field::SourceMonotonic);
        let since_boot = source.or_else(|| self.number(Field::Monotonic));
        let time = self.get(Field::Time);
        let boot_us = since_boot.or_else(|| microseconds(time));
        let realtime = self.get(Field::Realtime);
        let is_date = boot_us.is_none() && realtime.is_empty();
        Time { boot_us, wall: if is_date { time } else { realtime } }
    }
}

/// dmesg's `8665.086265`
fn microseconds(seconds: &[u8]) -> Option<u64> {
    let (whole, fraction) = core::str::from_utf8(seconds).ok()?.trim().split_once('.')?;
    let whole: u64 = whole.parse().ok()?;
    let fraction: u64 = fraction.parse().ok().filter(|_| fraction.len() == 6)?;
    whole.checked_mul(1_000_000)?.checked_add(fraction)
}
