//! The option field: words between commas, where quotes keep commas together
//! (util-linux lib/strutils.c ul_optstr_next), and the only change we ever make to it.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::ops::Range;

use crate::mountinfo::{octal_escape, unescape};
use crate::text::Text;

/// The only option that is ever added: every ext3 and ext4 driver knows it (fs/ext3/super.c,
/// fs/ext4/super.c, all versions).
const BARRIER_OFF: &[u8] = b"barrier=0";

/// The option field of an entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    raw: Text,
}

/// A word, decoded, and its place in the raw field.
struct Word<'a> {
    text: Cow<'a, [u8]>,
    at: Range<usize>,
}

impl Options {
    /// From the field as it stands in fstab, or from any list of options of the same form
    /// (`rootflags=`, the super options of mountinfo).
    pub fn new(raw: &[u8]) -> Options {
        Options { raw: Text::from(raw) }
    }

    /// The field as it stands in fstab; empty where there is none.
    pub fn raw(&self) -> &Text {
        &self.raw
    }

    /// The words, decoded, empty ones left out.
    pub fn words(&self) -> Vec<Text> {
        split(self.raw.as_bytes()).0.into_iter().map(|word| Text::from(&*word.text)).collect()
    }

    /// Whether `word` is among them, as a whole word.
    pub fn has(&self, word: &str) -> bool {
        split(self.raw.as_bytes()).0.iter().any(|one| *one.text == *word.as_bytes())
    }

    /// The words that speak of barriers: `barrier`, `barrier=…`, `nobarrier`. To ext3 and ext4
    /// the last one counts.
    pub fn barrier_words(&self) -> Vec<Text> {
        let (words, _) = split(self.raw.as_bytes());
        let ours = words.into_iter().filter(|word| is_barrier_word(&word.text));
        ours.map(|word| Text::from(&*word.text)).collect()
    }

    /// The field with `barrier=0` as its last barrier word, equal to this one where that is so
    /// already; `None` where not every mount(8) reads this field alike.
    pub(super) fn with_barrier_off(&self) -> Option<Text> {
        let raw = self.raw.as_bytes();
        let (words, is_plain) = split(raw);
        if !is_plain {
            return None;
        }
        let last = words.iter().rfind(|word| is_barrier_word(&word.text));
        let (before, after) = match last {
            Some(word) if *word.text == *BARRIER_OFF => return Some(self.raw.clone()),
            Some(word) => (&raw[..word.at.start], &raw[word.at.end..]),
            None => (raw, &b""[..]),
        };
        let needs_comma = last.is_none() && !matches!(before.last(), None | Some(b','));
        let comma = if needs_comma { &b","[..] } else { b"" };
        Some(Text::from([before, comma, BARRIER_OFF, after].concat()))
    }
}

fn is_barrier_word(word: &[u8]) -> bool {
    word == b"nobarrier" || word == b"barrier" || word.starts_with(b"barrier=")
}

/// The words, and whether all of util-linux reads the field so: a quote that stays open swallows
/// the rest, `\000` hides it, and a backslash before a quote or a comma means something in newer
/// versions only. A CR, which an editor may have left, would not survive at the end of a comment.
fn split(raw: &[u8]) -> (Vec<Word<'_>>, bool) {
    let mut words = Vec::new();
    let (mut start, mut at, mut last) = (0, 0, b',');
    let (mut is_quoted, mut is_plain) = (false, !raw.contains(&b'\r'));
    while at < raw.len() {
        let escape = octal_escape(&raw[at..]);
        let (byte, next) = escape.map_or((raw[at], at + 1), |byte| (byte, at + 4));
        if byte == 0 {
            is_plain = false;
            break;
        }
        is_plain &= !(last == b'\\' && matches!(byte, b'"' | b','));
        is_quoted ^= byte == b'"';
        if byte == b',' && !is_quoted {
            words.push(word(raw, start..at));
            start = next;
        }
        (at, last) = (next, byte);
    }
    if !is_quoted {
        words.push(word(raw, start..at));
    }
    words.retain(|word| !word.text.is_empty());
    (words, is_plain && !is_quoted && last != b'\\')
}

fn word(raw: &[u8], at: Range<usize>) -> Word<'_> {
    let part = &raw[at.clone()];
    let text = match part.contains(&b'\\') {
        true => Cow::Owned(unescape(part).as_bytes().to_vec()),
        false => Cow::Borrowed(part),
    };
    Word { text, at }
}
