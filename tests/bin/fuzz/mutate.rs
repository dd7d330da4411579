//! Inputs that were right once: flipped, cut, repeated, joined, with words put in.

use harness::random::Random;

/// No input grows beyond this, so that a case stays short.
const MOST: usize = 64 * 1024;
/// Words with which parsers are at pains, whatever they read.
const WORDS: [&[u8]; 20] = [
    b"\n",
    b"\0",
    b"\r",
    b"\\",
    b"\\040",
    b"\\x",
    b"\"",
    b"=",
    b",",
    b";",
    b" ",
    b"\t",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    b"-1",
    b"18446744073709551616",
    b"99999999999999999999999999999999",
    b"{",
    b"[",
    b"/",
];

/// One of `seeds`, changed up to eight times with `words` and those above.
pub fn mutated(seeds: &[&[u8]], words: &[&[u8]], random: &mut Random) -> Vec<u8> {
    let mut input = random.choose(seeds).map(|seed| seed.to_vec()).unwrap_or_default();
    for _ in 0..random.below(9) {
        change(&mut input, seeds, words, random);
    }
    input.truncate(MOST);
    input
}

fn change(input: &mut Vec<u8>, seeds: &[&[u8]], words: &[&[u8]], random: &mut Random) {
    let at = random.below(input.len() as u64 + 1) as usize;
    let to = (at + random.below(32) as usize).min(input.len());
    match random.below(9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.next_u64() as u8;
            }
        }
        2 => input.truncate(at),
        3 => drop(input.splice(at..to, [])),
        4 => {
            let part = input[at..to].to_vec();
            input.splice(at..at, part);
        }
        5 => {
            let other = random.choose(seeds).copied().unwrap_or_default();
            let from = random.below(other.len() as u64 + 1) as usize;
            input.splice(at.., other[from..].iter().copied());
        }
        6 if random.percent(10) => repeat(input, at, to, random),
        _ => {
            let all = if random.percent(50) { words } else { &WORDS };
            let word = random.choose(all).copied().unwrap_or_default();
            input.splice(at..at, word.iter().copied());
        }
    }
}

/// Many times the same: what takes the square of its length shows here.
fn repeat(input: &mut Vec<u8>, at: usize, to: usize, random: &mut Random) {
    let times = 1 << random.below(10);
    let part = input[at..to].repeat(times);
    input.splice(at..at, part);
    input.truncate(MOST);
}
