//! The journal's export format (systemd's JOURNAL_EXPORT_FORMATS): `NAME=value` lines, an empty
//! line between records, and for values that are no plain text the name alone, a length of eight
//! bytes, and the bytes.
//!
//! The lengths are obeyed to the byte: a message with a newline in it never becomes two fields.

use super::Entry;
use super::fields::{Field, Fields};

/// Whether a line begins a record: these fields are always there, and first.
pub fn begins(line: &[u8]) -> bool {
    line.starts_with(b"__CURSOR=") || line.starts_with(b"__REALTIME_TIMESTAMP=")
}

/// Where in a record we are.
#[derive(Debug, Default)]
pub struct State {
    binary: Option<Binary>,
    is_over: bool,
}

/// A value that is counted and not ended by a newline.
#[derive(Debug)]
struct Binary {
    field: Option<Field>,
    /// Bytes of the length seen so far.
    length_bytes: u32,
    /// Bytes of the value that are still to come.
    length: u64,
}

impl State {
    /// Whether the record is complete.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads a line; false where it belongs to no record.
    pub fn read(
        &mut self,
        line: &[u8],
        fields: &mut Fields,
        take: &mut dyn FnMut(&Entry<'_>),
    ) -> bool {
        if let Some(binary) = &mut self.binary {
            if binary.is_complete_after(line, fields) {
                self.binary = None;
            }
            return true;
        }
        if line.is_empty() {
            self.finish(fields, take);
            return true;
        }
        if begins(line) && fields.entry().is_some() {
            self.finish(fields, take);
            self.is_over = false;
        }
        let equals = line.iter().position(|byte| *byte == b'=');
        let name = &line[..equals.unwrap_or(line.len())];
        if !is_name(name) {
            self.finish(fields, take);
            return false;
        }
        match (equals, Field::named(name)) {
            (Some(at), Some(field)) => fields.set(field, &line[at + 1..]),
            (Some(_), None) => {}
            (None, field) => self.binary = Some(Binary { field, length_bytes: 0, length: 0 }),
        }
        true
    }

    fn finish(&mut self, fields: &mut Fields, take: &mut dyn FnMut(&Entry<'_>)) {
        if let Some(entry) = fields.entry() {
            take(&entry);
        }
        fields.clear();
        self.is_over = true;
    }
}

impl Binary {
    /// Takes a line and the newline that ended it, which belongs to the value where more of the
    /// value is to come.
    fn is_complete_after(&mut self, line: &[u8], fields: &mut Fields) -> bool {
        for byte in line.iter().chain(b"\n") {
            if self.length_bytes < 8 {
                self.length |= u64::from(*byte) << (8 * self.length_bytes);
                self.length_bytes += 1;
            } else if self.length > 0 {
                self.length -= 1;
                if let Some(field) = self.field {
                    fields.push(field, *byte);
                }
            } else {
                // The newline behind the value.
                return true;
            }
        }
        false
    }
}

/// What journald takes for the name of a field.
fn is_name(name: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
    !name.is_empty() && name.len() <= 64 && name.iter().all(allowed)
}
