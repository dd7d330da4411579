//! Bytes from outside: mount points, xenstore values, kernel lines, device names.
//!
//! Linux promises no encoding for them, and a host or an unprivileged process may choose some of
//! them. So they stay bytes inside, and whoever shows them shows them escaped: there is no other
//! `Display`. Never loses a byte: the escaped form is unambiguous (`\` itself is `\x5c`).

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A byte string from outside, escaped when shown.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Vec<u8>);

impl Text {
    /// The bytes as they came.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, where it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A decimal number, spaces and a final newline around it ignored, as sysfs and xenstore
    /// write them; `None` for anything else.
    pub fn number(&self) -> Option<u64> {
        self.as_str()?.trim().parse().ok()
    }

    /// Whether the bytes hold `part` somewhere.
    pub fn contains(&self, part: &str) -> bool {
        self.0.windows(part.len().max(1)).any(|window| window == part.as_bytes())
    }

    /// Whether the bytes begin with `start`.
    pub fn starts_with(&self, start: &str) -> bool {
        self.0.starts_with(start.as_bytes())
    }

    /// Undoes `Display`; `None` where an escape is broken.
    pub fn from_escaped(shown: &str) -> Option<Text> {
        let mut bytes = Vec::with_capacity(shown.len());
        let mut rest = shown;
        while let Some(at) = rest.find('\\') {
            bytes.extend_from_slice(&rest.as_bytes()[..at]);
            let hex = rest.get(at + 2..at + 4).filter(|_| rest[at + 1..].starts_with('x'))?;
            bytes.push(u8::from_str_radix(hex, 16).ok()?);
            rest = &rest[at + 4..];
        }
        bytes.extend_from_slice(rest.as_bytes());
        Some(Text(bytes))
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Text(bytes.to_vec())
    }
}

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Text(bytes)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text(text.as_bytes().to_vec())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text(text.into_bytes())
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// Printable characters as they are; control characters, bytes that are no UTF-8, the backslash
/// and the characters that reorder or hide text on a terminal as `\xNN` for each byte.
impl fmt::Display for Text {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for character in chunk.valid().chars() {
                if is_harmless(character) {
                    to.write_char(character)?;
                } else {
                    let mut buffer = [0; 4];
                    escape(character.encode_utf8(&mut buffer).as_bytes(), to)?;
                }
            }
            escape(chunk.invalid(), to)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "\"{self}\"")
    }
}

fn escape(bytes: &[u8], to: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(to, "\\x{byte:02x}"))
}

/// Zero-width and direction-changing characters (Unicode categories Cf and Zl, Zp of the
/// general punctuation block) could make a terminal show another text than the one we checked.
fn is_harmless(character: char) -> bool {
    let deceives = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    !character.is_control() && character != '\\' && !deceives
}

/// In JSON a text is a string of the escaped form.
impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let shown = String::deserialize(from)?;
        Text::from_escaped(&shown)
            .ok_or_else(|| serde::de::Error::custom("a backslash must begin \\xNN".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(Text::from("a\x1b[2J\nb").to_string(), r"a\x1b[2J\x0ab");
        assert_eq!(Text::from(&b"/srv/\xff"[..]).to_string(), r"/srv/\xff");
        assert_eq!(Text::from("\u{202e}gpj").to_string(), r"\xe2\x80\xaegpj");
        assert_eq!(Text::from("Fotos-ü 2").to_string(), "Fotos-ü 2");
    }

    #[test]
    fn escaping_loses_nothing() {
        let every_byte: Vec<u8> = (0..=255).collect();
        for bytes in [&every_byte[..], b"\\x41", b"", b"\\", "ü\u{200b}".as_bytes()] {
            let text = Text::from(bytes);
            assert_eq!(Text::from_escaped(&text.to_string()), Some(text));
        }
        assert_eq!(Text::from_escaped(r"\y41"), None);
        assert_eq!(Text::from_escaped(r"\x4"), None);
    }

    #[test]
    fn numbers_are_read_as_sysfs_writes_them() {
        assert_eq!(Text::from("128\n").number(), Some(128));
        assert_eq!(Text::from("12 8").number(), None);
        assert_eq!(Text::from("-1").number(), None);
    }
}
