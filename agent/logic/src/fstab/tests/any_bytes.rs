//! A hundred thousand byte strings made of what fstabs are made of, and of what they are not.
//!
//! Printing is the identity, an edit changes nothing but what it says, and taking it back is the
//! identity again. A failing case names its seed: `XVDGUARD_SEED=n` runs that case first.

extern crate std;

use alloc::vec::Vec;
use std::{panic, println};

use super::super::{Edit, EditErrorKind, Fstab, OwnEditState};
use crate::text::Text;

const CASES: u64 = 100_000;

const PIECES: [&[u8]; 36] = [
    b"UUID=0a",
    b"/dev/xvda1",
    b"LABEL=a\\040b",
    b"/",
    b"/srv",
    b"ext3",
    b"ext4",
    b"xfs",
    b" ",
    b" ",
    b" ",
    b"\t",
    b"  ",
    b"\n",
    b"\n",
    b"\r\n",
    b"\r",
    b"defaults",
    b"noatime",
    b",",
    b"barrier=1",
    b"barrier=0",
    b"nobarrier",
    b"barrier",
    b"context=\"a,b\"",
    b"\"",
    b"0",
    b"1",
    b"# xvdguard: was",
    b"# xvdguard: was ro\n",
    b"#",
    b"\\",
    b"\\075",
    b"\\000",
    b"\0",
    b"\xff",
];

/// Splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn piece(&mut self) -> &'static [u8] {
        PIECES[self.below(PIECES.len())]
    }

    /// Any bytes, pieces in any order, or lines.
    fn content(&mut self) -> Vec<u8> {
        match self.below(8) {
            0 => (0..self.below(60)).map(|_| self.next() as u8).collect(),
            1 | 2 => (0..self.below(40)).flat_map(|_| self.piece()).copied().collect(),
            _ => (0..self.below(5)).flat_map(|_| self.line()).collect(),
        }
    }

    fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        if self.one_in(5) {
            line.extend_from_slice(b"# xvdguard: was ro\n");
        }
        line.extend_from_slice(b"/dev/xvda1\t/srv  ext4");
        let options: [&[u8]; 6] = [b" ", b" ro,barrier=0", b"\tro", b" nobarrier,", b" \t", b""];
        line.extend_from_slice(options[self.below(options.len())]);
        (0..self.below(4)).for_each(|_| line.extend_from_slice(self.piece()));
        let ends: [&[u8]; 5] = [b" 0 0\n", b"\n", b"\r\n", b" 1\r\n", b""];
        line.extend_from_slice(ends[self.below(ends.len())]);
        line
    }
}

/// What happened in all cases: shows that they are not all alike.
#[derive(Debug, Default)]
struct Seen {
    entries: u64,
    broken: u64,
    edited: u64,
    ambiguous: u64,
    changed_since: u64,
    already_so: u64,
}

#[test]
fn no_byte_string_loses_a_byte() {
    let first = std::env::var("XVDGUARD_SEED").map_or(1, |seed| seed.parse().unwrap());
    let mut seen = Seen::default();
    for case in 0..CASES {
        let seed = case.wrapping_add(first);
        let content = Random(seed).content();
        let outcome = panic::catch_unwind(panic::AssertUnwindSafe(|| check(&content, &mut seen)));
        assert!(outcome.is_ok(), "XVDGUARD_SEED={seed}: {:?}", Text::from(content));
    }
    println!("{seen:?}");
    let least = [seen.entries, seen.broken, seen.edited, seen.already_so].into_iter().min();
    let least = least.min([seen.ambiguous, seen.changed_since].into_iter().min());
    assert!(least > Some(CASES / 20), "{seen:?}");
}

fn check(content: &[u8], seen: &mut Seen) {
    let fstab = Fstab::parse(content);
    assert_eq!(fstab.to_bytes(), content);
    seen.broken += fstab.broken_lines().count() as u64;
    for entry in fstab.entries() {
        seen.entries += 1;
        match fstab.edit(&[(entry.line, Edit::BarrierOff)]) {
            Ok(edited) if edited.changes.is_empty() => {
                assert_eq!(edited.fstab, fstab);
                seen.already_so += 1;
            }
            Ok(edited) => {
                check_edit(&fstab, entry.line, &edited.fstab);
                seen.edited += 1;
            }
            Err(error) if error.kind == EditErrorKind::AmbiguousOptions => seen.ambiguous += 1,
            Err(error) => {
                assert_eq!(error.kind, EditErrorKind::ChangedSince);
                seen.changed_since += 1;
            }
        }
    }
}

fn check_edit(before: &Fstab, line: usize, after: &Fstab) {
    let old = before.entry(line).unwrap();
    let new = after.entry(line + 1).unwrap();
    assert_eq!(new.options.barrier_words().last(), Some(&Text::from("barrier=0")));
    let others = |words: Vec<Text>| words.into_iter().filter(|word| !word.contains("barrier"));
    assert!(others(old.options.words()).eq(others(new.options.words())));
    let fields = [(&old.source, &new.source), (&old.mount_point, &new.mount_point)];
    assert!(fields.iter().all(|(old, new)| old == new) && old.fstype == new.fstype);
    assert_eq!((old.frequency, old.pass), (new.frequency, new.pass));
    let is_ours = |own: &super::super::OwnEdit| own.state == OwnEditState::Intact(line + 1);
    assert!(after.own_edits().iter().any(is_ours));
    let back = after.edit(&[(line + 1, Edit::Restore)]).unwrap();
    assert_eq!(back.fstab.to_bytes(), before.to_bytes());
}
