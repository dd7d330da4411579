//! From the bytes of a recording to turns, one after the other.
//!
//! A file from anywhere: what is wrong with it is said with its line, and nothing is assumed.

use std::iter::Enumerate;
use std::slice::Split;

use xvdguard_logic::text::Text;

use super::parts::{self, Key, Parts};
use super::{DECIDED, Decided, HEADER, Turn};
use crate::whole_file::from_bytes;

type IsEnd = fn(&u8) -> bool;

/// Reads turn after turn.
#[derive(Debug)]
pub struct Reader<'a> {
    lines: Enumerate<Split<'a, u8, IsEnd>>,
    parts: Parts,
    /// Which version of the program wrote it.
    pub version: Text,
}

/// What is wrong with a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// It does not begin as a recording does.
    NoRecording,
    /// This line, from 1, is none of a recording.
    Line(usize),
    /// The turn that ends in this line lacks something, or holds what cannot be read.
    Part(usize, String),
}

impl<'a> Reader<'a> {
    /// Begins with the first line.
    pub fn new(content: &'a [u8]) -> Result<Reader<'a>, Wrong> {
        let is_end: IsEnd = |byte| *byte == b'\n';
        let mut lines = content.split(is_end).enumerate();
        let (_, first) = lines.next().ok_or(Wrong::NoRecording)?;
        let version = first.strip_prefix(HEADER.as_bytes()).ok_or(Wrong::NoRecording)?;
        let version = Text::from(version.trim_ascii());
        Ok(Reader { lines, parts: Parts::new(), version })
    }

    /// The next turn; none at the end. A turn without its end is none.
    pub fn next_turn(&mut self) -> Result<Option<Turn>, Wrong> {
        while let Some((index, line)) = self.lines.next() {
            if let Some(json) = line.strip_prefix(DECIDED.as_bytes()) {
                let broken = |part: String| Wrong::Part(index + 1, part);
                return self.turn(json).map(Some).map_err(broken);
            }
            match part(line) {
                Some(found) => self.keep(found),
                None if line.is_empty() => {}
                None => return Err(Wrong::Line(index + 1)),
            }
        }
        Ok(None)
    }

    fn keep(&mut self, (key, json): (Key, &[u8])) {
        if key.1 == 0 {
            parts::shorten(&mut self.parts, key.0, from_bytes(json).unwrap_or(usize::MAX));
        }
        self.parts.insert(key, json.to_vec());
    }

    fn turn(&self, decided: &[u8]) -> Result<Turn, String> {
        let decided: Decided = from_bytes(decided).ok_or(DECIDED)?;
        Ok(Turn {
            settings: parts::one(&self.parts, 0)?,
            memory: parts::memory(&self.parts)?,
            world: parts::world(&self.parts)?,
            decided,
        })
    }
}

/// The part that a line holds.
pub(super) fn part(line: &[u8]) -> Option<(Key, &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (name, json) = line.split_at(space);
    Some((parts::key(std::str::from_utf8(name).ok()?)?, &json[1..]))
}
