//! From one line of a log, in whatever form, to the kernel's own text with time, host and speaker.
//!
//! Forms are told apart line by line, so that they may be mixed in one file. Only what two forms
//! spread over several lines (JSON, journal export) is kept from one line to the next, bounded.
//! Never decides what a text means; never takes the word of a process for the kernel's where the
//! form tells the two apart.

mod bracket;
mod dress;
mod export;
mod fields;
mod header;
mod json;
pub mod wall;

use alloc::vec::Vec;

use crate::kernel_log::record::Record;
use fields::Fields;

/// What a line tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The message itself.
    pub text: &'a [u8],
    /// Who says it.
    pub speaker: Speaker<'a>,
    /// When.
    pub time: Time<'a>,
    /// The host, where the form names one, or the label of a console; else empty.
    pub host: &'a [u8],
    /// Which boot it belongs to.
    pub boot: Boot<'a>,
}

/// Who says a line, as far as its form tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Speaker<'a> {
    /// The kernel: the form carries what a process cannot set (facility 0 of `/dev/kmsg`, the
    /// journal's `_TRANSPORT=kernel`).
    Kernel,
    /// The kernel by its tag, which a logger may take too (`kernel:` in a syslog file).
    Tagged,
    /// The form does not tell (dmesg without -x, a console, bare text).
    #[default]
    Unsaid,
    /// A process, or another facility than kern; its name where there is one.
    Other(&'a [u8]),
}

impl<'a> Entry<'a> {
    /// Of a line that tells nothing but its time.
    pub fn plain(boot_us: u64, text: &'a [u8]) -> Self {
        Entry { text, time: Time { boot_us: Some(boot_us), wall: b"" }, ..Entry::default() }
    }
}

/// When a line was said.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time<'a> {
    /// Microseconds since boot.
    pub boot_us: Option<u64>,
    /// The wall clock, as the log writes it; `wall::Wall` reads it. Empty where there is none.
    pub wall: &'a [u8],
}

/// Which boot a line belongs to, as far as the form tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Boot<'a> {
    /// It does not.
    #[default]
    Unsaid,
    /// That of this identifier.
    Id(&'a [u8]),
    /// Another one of whoever spoke last begins here.
    New,
}

/// Layers of quoting and decoration that are taken off a line.
const LAYERS: usize = 8;

/// The reader of forms, with what it keeps from line to line.
#[derive(Debug, Default)]
pub struct Forms {
    open: Open,
    fields: Fields,
    clean: Vec<u8>,
    /// Whether lines of the commonest form have named a host.
    has_hosts: bool,
}

/// A record that is spread over lines and not complete yet.
#[derive(Debug, Default)]
enum Open {
    #[default]
    Nothing,
    Json(json::State),
    Export(export::State),
}

impl Forms {
    /// Reads a line without its newline, and hands on the messages in it: none, one, or several
    /// where a line holds several JSON objects.
    pub fn read(&mut self, line: &[u8], take: &mut dyn FnMut(&Entry<'_>)) {
        if self.read_open(line, true, take) {
            return;
        }
        if !dress::is_dirty(line) {
            return self.read_clean(line, take);
        }
        // Taken out and put back, so that its memory is used again.
        let mut clean = core::mem::take(&mut self.clean);
        for part in line.split(|byte| *byte == b'\r') {
            dress::clean(part, &mut clean);
            let mut has_speaker = false;
            self.read_clean(dress::trim_end(&clean), &mut |entry| {
                has_speaker |= entry.speaker != Speaker::Unsaid;
                take(entry);
            });
            // What a process says behind a carriage return is still what that process says.
            if has_speaker {
                break;
            }
        }
        self.clean = clean;
    }

    /// Reads a piece of a line that is longer than is good; false where the line is of no form that
    /// can be read in pieces.
    pub fn read_piece(&mut self, piece: &[u8], take: &mut dyn FnMut(&Entry<'_>)) -> bool {
        if let (Open::Nothing, true) = (&self.open, json::begins(piece)) {
            self.begin_json();
        }
        matches!(self.open, Open::Json(_)) && self.read_open(piece, false, take)
    }

    /// The commonest form, `[   12.345678] text`, without the rest of the machinery: microseconds
    /// since boot, and the text. None for every other line, and for some of this form.
    pub fn read_plain<'a>(&self, line: &'a [u8]) -> Option<(u64, &'a [u8])> {
        match (&self.open, line.first()) {
            (Open::Nothing, Some(b'[')) if !self.has_hosts => bracket::simplest(line),
            _ => None,
        }
    }

    /// The end of the log: a record of the export format may end there.
    pub fn finish(&mut self, take: &mut dyn FnMut(&Entry<'_>)) {
        if let Open::Export(_) = core::mem::take(&mut self.open) {
            if let Some(entry) = self.fields.entry() {
                take(&entry);
            }
        }
    }

    /// Goes on with a record that an earlier line began.
    fn read_open(
        &mut self,
        line: &[u8],
        ends_line: bool,
        take: &mut dyn FnMut(&Entry<'_>),
    ) -> bool {
        let goes_on = match &mut self.open {
            Open::Nothing => return false,
            Open::Json(state) => state.read(line, ends_line, &mut self.fields, take),
            Open::Export(state) => state.read(line, &mut self.fields, take),
        };
        let is_over = match &self.open {
            Open::Nothing => true,
            Open::Json(state) => state.is_over(),
            Open::Export(state) => state.is_over(),
        };
        if is_over || !goes_on {
            self.open = Open::Nothing;
        }
        goes_on
    }

    fn begin_json(&mut self) {
        self.fields.clear();
        self.open = Open::Json(json::State::default());
    }

    fn read_clean(&mut self, line: &[u8], take: &mut dyn FnMut(&Entry<'_>)) {
        if json::begins(line) {
            self.begin_json();
        } else if export::begins(line) {
            self.fields.clear();
            self.open = Open::Export(export::State::default());
        }
        if !self.read_open(line, true, take) {
            if let Some(entry) = read_text(line) {
                self.has_hosts |= entry.time.boot_us.is_some() && !entry.host.is_empty();
                take(&entry);
            }
        }
    }
}

/// Whether a piece of a log holds what only dressed lines hold.
pub fn has_marks(piece: &[u8]) -> bool {
    dress::is_dirty(piece)
}

/// Reads a line that is complete in itself, under quoting and decoration.
fn read_text(line: &[u8]) -> Option<Entry<'_>> {
    let mut rest = line.trim_ascii();
    let mut label: &[u8] = b"";
    let mut dressed = false;
    for _ in 0..LAYERS {
        if let Some(entry) = recognise(rest) {
            let host = if entry.host.is_empty() { label } else { entry.host };
            return Some(Entry { host, ..entry });
        }
        let Some(layer) = dress::peel(rest) else { break };
        dressed = true;
        if !layer.label.is_empty() {
            label = layer.label;
        }
        rest = dress::trim_end(layer.rest);
    }
    let entry = match header::bare(rest)? {
        text if text.speaker == Speaker::Unsaid => bracket::inside(rest).unwrap_or(text),
        said => said,
    };
    let text = if dressed { dress::trim_end(entry.text) } else { entry.text };
    Some(Entry { text, host: label, ..entry })
}

/// The forms that have a head, by its first byte.
fn recognise(line: &[u8]) -> Option<Entry<'_>> {
    match line.first()? {
        b'[' => bracket::plain(line).or_else(|| bracket::dated(line)),
        b'<' => header::priority(line),
        b'0'..=b'9' => kmsg(line).or_else(|| header::dated(line)),
        b'-' => header::boot_line(line),
        byte if byte.is_ascii_alphabetic() => {
            bracket::with_facility(line).or_else(|| header::dated(line))
        }
        _ => None,
    }
}

/// A record of `/dev/kmsg`. Its sequence number, time and flags make it unlike any other line.
fn kmsg(line: &[u8]) -> Option<Entry<'_>> {
    let record = Record::parse(line)?;
    let speaker = if record.is_from_kernel() { Speaker::Kernel } else { Speaker::Other(b"") };
    let time = Time { boot_us: Some(record.boot_us), wall: b"" };
    Some(Entry { text: record.text, speaker, time, ..Entry::default() })
}

#[cfg(test)]
mod tests;
