//! One line of fstab: where it begins and ends, and its fields as libmount reads them.

use alloc::vec::Vec;
use core::ops::Range;

use super::{Entry, Options};
use crate::mountinfo::unescape;
use crate::text::Text;

/// A line's place in the bytes, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// Without its end.
    pub content: Range<usize>,
    /// Behind its end.
    pub end: usize,
    /// The fourth field; empty, behind the third, where there is none.
    pub options: Range<usize>,
    /// What it is.
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Blank, or a comment.
    Silent,
    Entry(Entry),
    Broken(Flaw),
}

/// Why a line is no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// Source, mount point and type are needed at least.
    TooFewFields,
    /// The fifth or the sixth field is no number.
    NoNumber,
    /// A NUL byte: nobody reads beyond it.
    Nul,
}

impl Line {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match &self.kind {
            Kind::Entry(entry) => Some(entry),
            _ => None,
        }
    }
}

/// Finds all lines; they follow each other without a gap.
pub(super) fn index(bytes: &[u8]) -> Vec<Line> {
    let mut lines = Vec::with_capacity(1 + bytes.iter().filter(|byte| **byte == b'\n').count());
    let mut start = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        // One CR is taken off, also at the end of the file (tab_parse.c mnt_table_parse_next).
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let (kind, options) = read(content, lines.len() + 1);
        lines.push(Line {
            content: start..start + content.len(),
            end,
            options: start + options.start..start + options.end,
            kind,
        });
        start = end;
    }
    lines
}

/// What a line is, and where its fourth field stands in it.
fn read(content: &[u8], line: usize) -> (Kind, Range<usize>) {
    let mut fields = Fields { content, at: 0 };
    fields.skip_blanks();
    if matches!(content.get(fields.at), None | Some(b'#')) {
        return (Kind::Silent, 0..0);
    }
    if content.contains(&0) {
        return (Kind::Broken(Flaw::Nul), 0..0);
    }
    let [source, mount_point, fstype] = [(); 3].map(|()| fields.field());
    if fstype.is_empty() {
        return (Kind::Broken(Flaw::TooFewFields), 0..0);
    }
    let options = match fields.field() {
        missing if missing.is_empty() => fstype.end..fstype.end,
        found => found,
    };
    let (Some(frequency), Some(pass)) = (fields.number(), fields.number()) else {
        return (Kind::Broken(Flaw::NoNumber), 0..0);
    };
    let entry = Entry {
        line,
        source: decode(&content[source]),
        mount_point: decode(&content[mount_point]),
        fstype: decode(&content[fstype]),
        options: Options::new(&content[options.clone()]),
        frequency,
        pass,
    };
    (Kind::Entry(entry), options)
}

/// Undoes the escapes; `\000` ends the field, as it ends a string of C.
fn decode(field: &[u8]) -> Text {
    if !field.contains(&b'\\') {
        return Text::from(field);
    }
    let decoded = unescape(field);
    match decoded.as_bytes().iter().position(|byte| *byte == 0) {
        Some(end) => Text::from(&decoded.as_bytes()[..end]),
        None => decoded,
    }
}

struct Fields<'a> {
    content: &'a [u8],
    at: usize,
}

impl Fields<'_> {
    fn skip_blanks(&mut self) {
        self.skip_while(is_blank);
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = &self.content[self.at..];
        self.at += rest.iter().position(|byte| !wanted(*byte)).unwrap_or(rest.len());
    }

    /// The next field; empty at the end.
    fn field(&mut self) -> Range<usize> {
        self.skip_blanks();
        let start = self.at;
        self.skip_while(|byte| !is_blank(byte));
        start..self.at
    }

    /// The next field as strtol(3) reads it, cut to an int as C does: it skips more than blanks.
    /// 0 at the end, `None` for anything but a number.
    fn number(&mut self) -> Option<i32> {
        self.skip_blanks();
        if self.at == self.content.len() {
            return Some(0);
        }
        self.skip_while(|byte| is_blank(byte) || matches!(byte, b'\r' | 0x0b | 0x0c));
        let field = self.field();
        let number: Option<i64> =
            match core::str::from_utf8(&self.content[field.clone()]).ok()?.parse() {
                Ok(number) => Some(number),
                // libmount minds that a number is out of range only where the line goes on.
                Err(_) if self.at == self.content.len() => saturated(&self.content[field]),
                Err(_) => None,
            };
        number.map(|number| number as i32)
    }
}

/// What strtol(3) makes of digits that are too many.
fn saturated(number: &[u8]) -> Option<i64> {
    let (extreme, digits) = match number.split_first()? {
        (b'-', digits) => (i64::MIN, digits),
        (b'+', digits) => (i64::MAX, digits),
        _ => (i64::MAX, number),
    };
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    is_number.then_some(extreme)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
