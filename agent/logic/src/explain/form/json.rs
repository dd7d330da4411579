//! JSON objects, on one line or spread over many, as far as a log needs them.
//!
//! Only finds the fields that we know, wherever they stand; never builds a tree, so that a log cut
//! in the middle is read as far as it goes, in constant memory, and a line may come in pieces. A
//! line that cannot be JSON ends it.

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
    /// Inside a string: how far an escape in it has come.
    in_string: Option<Escape>,
    /// Whether the line that is read began before.
    in_line: bool,
    has_begun: bool,
}

/// The longest string that is kept.
const STRING_BYTES: usize = 8192;

/// An escape in a string.
#[derive(Debug, Clone, Copy)]
enum Escape {
    None,
    Begun,
    /// `\u`, so many digits and their value.
    Unicode(u32, u32),
}

impl State {
    /// Whether all that was opened is closed.
    pub fn is_over(&self) -> bool {
        self.has_begun && self.depth == 0
    }

    /// Reads a line, or a piece of one that does not end it; false where it is no JSON, and then
    /// nothing of it was handed on.
    pub fn read(
        &mut self,
        piece: &[u8],
        ends_line: bool,
        fields: &mut Fields,
        take: &mut dyn FnMut(&Entry<'_>),
    ) -> bool {
        if self.has_begun && !self.in_line && !looks_like_json(piece) {
            return false;
        }
        let mut rest = piece;
        while let Some((first, behind)) = rest.split_first() {
            rest = match first {
                _ if self.in_string.is_some() => self.string(rest, fields),
                b'"' => {
                    self.in_string = Some(Escape::None);
                    self.string.clear();
                    behind
                }
                b'0'..=b'9' | b'-' => self.number(rest, fields),
                _ => {
                    self.mark(*first, fields, take);
                    behind
                }
            };
        }
        self.in_line = !ends_line;
        if ends_line && self.in_string.take().is_some() {
            // No string goes over the end of a line: the log was cut here.
            self.depth = 0;
        }
        true
    }

    fn mark(&mut self, mark: u8, fields: &mut Fields, take: &mut dyn FnMut(&Entry<'_>)) {
        match mark {
            b'{' => {
                fields.clear();
                self.has_begun = true;
                self.depth = self.depth.saturating_add(1);
                (self.value_of, self.in_array) = (None, false);
            }
            b'}' => {
                if let Some(entry) = fields.entry() {
                    take(&entry);
                }
                fields.clear();
                self.depth = self.depth.saturating_sub(1);
                (self.value_of, self.in_array) = (None, false);
            }
            b'[' if self.value_of.is_some() => self.in_array = true,
            b']' => self.in_array = false,
            b',' if !self.in_array => self.value_of = None,
            _ => {}
        }
    }

    /// Goes on with a key or a value; what follows its closing quotation mark.
    fn string<'a>(&mut self, bytes: &'a [u8], fields: &mut Fields) -> &'a [u8] {
        match self.in_string {
            Some(Escape::Begun) => self.escape(bytes),
            Some(Escape::Unicode(digits, code)) => self.unicode(bytes, digits, code),
            Some(Escape::None) | None => {
                let end = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
                self.keep(&bytes[..end]);
                match bytes.get(end) {
                    Some(b'\\') => self.in_string = Some(Escape::Begun),
                    Some(_) => self.end_string(fields),
                    None => {}
                }
                bytes.get(end + 1..).unwrap_or(b"")
            }
        }
    }

    fn end_string(&mut self, fields: &mut Fields) {
        self.in_string = None;
        match self.value_of {
            None => self.value_of = Some(Field::named(&self.string)),
            Some(Some(field)) => fields.set(field, &self.string),
            Some(None) => {}
        }
    }

    fn escape<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some((kind, behind)) = bytes.split_first() else { return bytes };
        self.in_string = Some(Escape::None);
        match kind {
            b'n' => self.keep(b"\n"),
            b't' => self.keep(b"\t"),
            b'r' => self.keep(b"\r"),
            b'b' => self.keep(&[8]),
            b'f' => self.keep(&[12]),
            b'u' => self.in_string = Some(Escape::Unicode(0, 0)),
            other => self.keep(&[*other]),
        }
        behind
    }

    /// `\u001b`; a surrogate, for which kernels have no use, becomes a replacement character.
    fn unicode<'a>(&mut self, bytes: &'a [u8], digits: u32, code: u32) -> &'a [u8] {
        let Some((first, behind)) = bytes.split_first() else { return bytes };
        let Some(digit) = char::from(*first).to_digit(16) else {
            self.in_string = Some(Escape::None);
            return bytes;
        };
        let code = code * 16 + digit;
        if digits < 3 {
            self.in_string = Some(Escape::Unicode(digits + 1, code));
        } else {
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            self.keep(character.encode_utf8(&mut [0; 4]).as_bytes());
            self.in_string = Some(Escape::None);
        }
        behind
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = STRING_BYTES.saturating_sub(self.string.len());
        self.string.extend_from_slice(&bytes[..bytes.len().min(room)]);
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
