//! The last turns of a daemon that runs, in bounds.
//!
//! What leaves the ring is kept in the state that it left things in, so that the oldest turn that
//! is left can still be read. That state grows with what is mounted and with nothing else.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};

use super::parts::{self, Key};
use super::{Asked, DECIDED, Decided, HEADER, reader};
use crate::whole_file::{from_bytes, to_bytes};

/// The recording of one daemon.
#[derive(Debug)]
pub struct Ring {
    /// What a reader of all turns would know, as hashes.
    known: BTreeMap<Key, u64>,
    /// What was before the oldest turn.
    before: BTreeMap<Key, Box<[u8]>>,
    turns: VecDeque<Box<[u8]>>,
    bytes: usize,
    room: usize,
}

impl Ring {
    /// With room for so many bytes of turns; at least one turn is kept.
    pub fn new(room: usize) -> Ring {
        let (known, before, turns) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Ring { known, before, turns, bytes: 0, room }
    }

    /// Takes one turn.
    pub fn take(&mut self, asked: Asked<'_>, decided: &Decided) {
        let mut lines = Vec::new();
        let known = &mut self.known;
        parts::take_apart(asked, &mut |key, json| {
            if key.1 == 0 {
                parts::shorten(known, key.0, from_bytes(&json).unwrap_or(usize::MAX));
            }
            let hash = hash(&json);
            if known.insert(key, hash) != Some(hash) {
                line(&mut lines, &parts::shown(key), &json);
            }
        });
        line(&mut lines, DECIDED, &to_bytes(decided));
        self.bytes += lines.len();
        self.turns.push_back(lines.into_boxed_slice());
        while self.bytes > self.room && self.turns.len() > 1 {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some(turn) = self.turns.pop_front() else { return };
        self.bytes -= turn.len();
        for (key, json) in turn.split(|byte| *byte == b'\n').filter_map(reader::part) {
            if key.1 == 0 {
                let count = from_bytes(json).unwrap_or(usize::MAX);
                parts::shorten(&mut self.before, key.0, count);
            }
            self.before.insert(key, json.into());
        }
    }

    /// How many bytes it has as a file.
    pub fn size(&self) -> usize {
        let before: usize = self.before.values().map(|json| json.len()).sum();
        before + self.bytes
    }

    /// All of it as a file.
    pub fn document(&self, version: &str) -> Vec<u8> {
        let mut document = Vec::new();
        line(&mut document, HEADER, version.as_bytes());
        for (key, json) in &self.before {
            line(&mut document, &parts::shown(*key), json);
        }
        self.turns.iter().for_each(|turn| document.extend_from_slice(turn));
        document
    }
}

fn line(to: &mut Vec<u8>, name: &str, json: &[u8]) {
    to.extend_from_slice(name.as_bytes());
    to.push(b' ');
    to.extend_from_slice(json);
    to.push(b'\n');
}

fn hash(json: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(json);
    hasher.finish()
}
