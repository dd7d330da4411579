//! Lines that nearly are what a pattern describes: other names, other tails, cut, flipped, joined.

use super::Messages;
use crate::failure::{Failure, Result};
use crate::random::Random;

/// Names of devices as kernels have them, and some that are too long or no names at all.
const NAMES: [&[u8]; 16] = [
    b"xvda",
    b"xvda2",
    b"cciss!c0d0p1",
    b"cciss/c0d0",
    b"dm-0",
    b"dm-12",
    b"dm-0-8",
    b"nvme0n1p2",
    b"0-0",
    b"-",
    b"a.b-7",
    b"abcdefghijklmnopqrstuvwxyz01234",
    b"abcdefghijklmnopqrstuvwxyz012345",
    b"xv da",
    b"xvda:1",
    b"",
];

/// Pieces of which lines are made.
const PIECES: [&[u8]; 24] = [
    b" ",
    b": ",
    b":",
    b".",
    b";",
    b"'",
    b"\"",
    b")",
    b"-8",
    b"0",
    b" error",
    b" (device xvdz)",
    b"comm a: ",
    b"comm 0123456789abcde: ",
    b"comm 0123456789abcdef: ",
    b" state E",
    b" op failed",
    b"empty ",
    b"BTRFS: ",
    b", dev xvdz, sector 1",
    b"/dev/",
    b"\r",
    b"\xff",
    b"\0",
];

/// A line of some row, changed up to three times.
pub fn forge(messages: &Messages, row: usize, random: &mut Random) -> Result<Vec<u8>> {
    let none = || Failure::new("there is no such row");
    let row = messages.rows.get(row).ok_or_else(none)?;
    let mut line = row.grow(random)?;
    if random.percent(30) {
        let name = row.captures(&line).remove("device");
        rename(&mut line, name, random);
    }
    for _ in 0..random.below(4) {
        change(&mut line, messages, random)?;
    }
    // A line holds no line.
    line.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
    Ok(line)
}

fn rename(line: &mut Vec<u8>, name: Option<Vec<u8>>, random: &mut Random) {
    let at = name.as_ref().and_then(|name| line.windows(name.len()).position(|w| w == name));
    if let (Some(name), Some(at), Some(new)) = (name, at, random.choose(&NAMES)) {
        line.splice(at..at + name.len(), new.iter().copied());
    }
}

fn change(line: &mut Vec<u8>, messages: &Messages, random: &mut Random) -> Result<()> {
    let at = random.below(line.len() as u64 + 1) as usize;
    match random.below(9) {
        0 => line.truncate(at),
        1 => line.extend_from_slice(piece(random)),
        2 => insert(line, at, piece(random)),
        3 => insert(line, 0, piece(random)),
        4 => flip(line, at, random),
        5 => drop(line.splice(at..(at + 1).min(line.len()), [])),
        6 => {
            let other = other(messages, random)?;
            line.extend_from_slice(&other);
        }
        7 => {
            let other = other(messages, random)?;
            let from = random.below(other.len() as u64 + 1) as usize;
            line.truncate(at);
            line.extend_from_slice(&other[from..]);
        }
        _ => {}
    }
    Ok(())
}

fn piece(random: &mut Random) -> &'static [u8] {
    random.choose(&PIECES).copied().unwrap_or_default()
}

fn insert(line: &mut Vec<u8>, at: usize, piece: &[u8]) {
    line.splice(at..at, piece.iter().copied());
}

fn flip(line: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = line.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn other(messages: &Messages, random: &mut Random) -> Result<Vec<u8>> {
    random.choose(&messages.rows).map_or(Ok(Vec::new()), |row| row.grow(random))
}
