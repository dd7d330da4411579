//! JSON objects, on one line or spread over many, as far as a log needs them.
//!
//! Only finds the fields that we know, wherever they stand; never builds a tree, so that a log cut
//! in the middle is read as far as it goes, in constant memory. A line that cannot be JSON ends it.

use alloc::vec::Vec;

use super::Entry;
use super::fields::{Field, Fields};

/// Whether a line begins an object: `{`, or `[{` of a compact array.
pub fn begins(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let line = line.strip_prefix(b"[").map_or(line, <[u8]>::trim_ascii_start);
    line.starts_with(b"{")
        && matches!(line[1..].trim_ascii_start().first(), None | Some(b'"' | b'}'))
}

/// Where in an object we are.
#[derive(Debug, Default)]
pub struct State {
    depth: u32,
    /// The field whose value comes next; outer none: a key comes, inner none: one we do not know.
    value_of: Option<Option<Field>>,
    in_array: bool,
    string: Vec<u8>,
    has_begun: bool,
}

/// The longest string that is kept.
const STRING_BYTES: usize = 8192;

impl State {
    /// Whether all that was opened is closed.
    pub fn is_over(&self) -> bool {
        self.has_begun && self.depth == 0
    }

    /// Reads a line; false where it is no JSON, and then nothing of it was handed on.
    pub fn read(
        &mut self,
        line: &[u8],
        fields: &mut Fields,
        take: &mut dyn FnMut(&Entry<'_>),
    ) -> bool {
        if self.has_begun && !looks_like_json(line) {
            return false;
        }
        let mut rest = line;
        while let Some((first, behind)) = rest.split_first() {
            rest = match first {
                b'"' => self.string(behind, fields),
                b'0'..=b'9' | b'-' => self.number(rest, fields),
                _ => {
                    self.mark(*first, fields, take);
                    behind
                }
            };
        }
        true
    }

    fn mark(&mut self, mark: u8, fields: &mut Fields, take: &mut dyn FnMut(&Entry<'_>)) {
        match mark {
            b'{' => {
                fields.clear();
                self.open();
            }
            b'}' => {
                if let Some(entry) = fields.entry() {
                    take(&entry);
                }
                fields.clear();
                self.close();
            }
            b'[' if self.value_of.is_some() => self.in_array = true,
            b']' => self.in_array = false,
            b',' if !self.in_array => self.value_of = None,
            _ => {}
        }
    }

    fn open(&mut self) {
        self.has_begun = true;
        self.depth = self.depth.saturating_add(1);
        (self.value_of, self.in_array) = (None, false);
    }

    fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        (self.value_of, self.in_array) = (None, false);
    }

    /// A key or a value, and what follows its closing quotation mark.
    fn string<'a>(&mut self, inside: &'a [u8], fields: &mut Fields) -> &'a [u8] {
        self.string.clear();
        let rest = unescape(inside, &mut self.string);
        match self.value_of {
            None => self.value_of = Some(Field::named(&self.string)),
            Some(field) => {
                if let Some(field) = field {
                    fields.set(field, &self.string);
                }
            }
        }
        rest
    }

    /// A number, or one byte of a text that is no UTF-8: journalctl writes an array of numbers.
    fn number<'a>(&mut self, bytes: &'a [u8], fields: &mut Fields) -> &'a [u8] {
        let end = bytes.iter().position(|byte| !(byte.is_ascii_digit() || b"+-.eE".contains(byte)));
        let (number, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        let Some(Some(field)) = self.value_of else { return rest };
        let byte = core::str::from_utf8(number).ok().and_then(|number| number.parse().ok());
        match byte {
            Some(byte) if self.in_array => fields.push(field, byte),
            _ => fields.set(field, number),
        }
        rest
    }
}

/// What a line inside an object begins with.
fn looks_like_json(line: &[u8]) -> bool {
    match line.trim_ascii_start().first() {
        None | Some(b'"' | b'{' | b'}' | b']' | b',') => true,
        Some(b'[') => begins(line),
        // The elements of an array, one a line.
        Some(b'0'..=b'9') => {
            line.iter().all(|byte| byte.is_ascii_digit() || b" ,\t".contains(byte))
        }
        _ => false,
    }
}

/// Reads up to the closing quotation mark; what follows it.
fn unescape<'a>(inside: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let mut rest = inside;
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        keep(&rest[..at], into);
        if rest[at] == b'"' {
            return &rest[at + 1..];
        }
        rest = escape(&rest[at + 1..], into);
    }
    keep(rest, into);
    b""
}

fn keep(bytes: &[u8], into: &mut Vec<u8>) {
    let room = STRING_BYTES.saturating_sub(into.len());
    into.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// One escape, behind its backslash.
fn escape<'a>(rest: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let Some((kind, behind)) = rest.split_first() else { return rest };
    let byte = match kind {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'b' => 8,
        b'f' => 12,
        b'u' => return unicode(behind, into),
        other => *other,
    };
    keep(&[byte], into);
    behind
}

/// `\u001b`; a surrogate, which kernels' texts have no use for, becomes a replacement character.
fn unicode<'a>(digits: &'a [u8], into: &mut Vec<u8>) -> &'a [u8] {
    let hex = digits.get(..4).and_then(|hex| core::str::from_utf8(hex).ok());
    let Some(code) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) else { return digits };
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    keep(character.encode_utf8(&mut [0; 4]).as_bytes(), into);
    &digits[4..]
}
