//! 20,000 configurations that were right once, each changed somewhere.
//!
//! No change makes the program crash, and whatever is wrong has its file, line and column. A
//! failure prints the seed that repeats it.

use std::collections::BTreeSet;

use harness::random::Random;
use serde_json::Value;

use crate::setup::{Machine, WRONG};

const BATCHES: usize = 200;
const FILES: usize = 100;

/// Right as it is, and with every key.
const FULL: &str = include_str!("fixtures/full.toml");

/// What people and broken editors put into such files.
const PIECES: [&str; 24] = [
    "[",
    "]",
    "[[queue]]\n",
    "[barrier]\n",
    "[recovery.mount.\"/x\"]\n",
    "=",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\n",
    "\r",
    "\\",
    "\\u001b",
    "#",
    ",",
    ".",
    "{",
    "}",
    "-1",
    "99999999999999999999",
    "true",
    "ü",
    "\u{202e}",
];

/// One to four changes.
fn mutate(random: &mut Random) -> Vec<u8> {
    let mut content = FULL.as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(content.len() as u64 + 1) as usize;
        match random.below(7) {
            0 => content.truncate(at),
            1 => content.insert(at, random.below(256) as u8),
            2 => drop(content.splice(at..(at + 1).min(content.len()), [])),
            3 => {
                let piece = random.choose(&PIECES).unwrap();
                drop(content.splice(at..at, piece.bytes()));
            }
            4 => double_a_line(&mut content, at),
            5 => {
                let to = (at + random.below(40) as usize).min(content.len());
                content.drain(at..to);
            }
            _ => {
                if let Some(byte) = content.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    content
}

fn double_a_line(content: &mut Vec<u8>, at: usize) {
    let start = content[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let end = content[at..].iter().position(|byte| *byte == b'\n');
    let end = end.map_or(content.len(), |length| at + length + 1);
    let line = content[start..end].to_vec();
    content.splice(start..start, line);
}

#[test]
fn whatever_is_wrong_has_its_place_and_nothing_makes_it_crash() {
    let mut random = Random::from_environment();
    let (mut right, mut wrong) = (0, 0);
    for batch in 0..BATCHES {
        let machine = Machine::with(&[]);
        let contents: Vec<Vec<u8>> = (0..FILES).map(|_| mutate(&mut random)).collect();
        for (index, content) in contents.iter().enumerate() {
            machine.write(format!("etc/xvdguard/config.d/{index:03}.toml"), content);
        }
        let ran = machine.run(&["--json", "config", "check"]);
        assert_eq!((ran.code, ran.err().as_str()), (WRONG, ""), "batch {batch}");
        let document: Value = serde_json::from_str(&ran.out()).unwrap();
        let files: BTreeSet<usize> = check(&document, &contents);
        wrong += files.len();
        right += FILES - files.len();
        if batch % 20 == 0 {
            check_text(&machine, document["problems"].as_array().unwrap().len());
        }
    }
    // Changes of comments and values leave some right.
    assert!(right > 500 && wrong > 10_000, "{right} right, {wrong} wrong");
}

/// Every problem has its place; returns the files that have problems.
fn check(document: &Value, contents: &[Vec<u8>]) -> BTreeSet<usize> {
    let mut files = BTreeSet::new();
    for problem in document["problems"].as_array().unwrap() {
        let name = problem["file"].as_str().unwrap();
        let index: usize = name[name.len() - "000.toml".len()..][..3].parse().unwrap();
        let lines: Vec<&[u8]> = contents[index].split(|byte| *byte == b'\n').collect();
        let number =
            |key: &str| problem[key].as_u64().unwrap_or_else(|| panic!("{key}: {problem:#}"));
        let (line, column) = (number("line") as usize, number("column") as usize);
        assert!((1..=lines.len()).contains(&line), "{problem:#}");
        assert!((1..=lines[line - 1].len() + 1).contains(&column), "{problem:#}");
        assert!(problem["remedy"].is_string() && problem["source"].is_string(), "{problem:#}");
        files.insert(index);
    }
    files
}

/// The same for people: each error begins with its place, and nothing reaches the terminal raw.
fn check_text(machine: &Machine, count: usize) {
    let said = machine.said();
    let raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.contains(raw), "{said:?}");
    let heads = said.lines().filter(|line| line.starts_with("xvdguard: error: "));
    let mut heads_count = 0;
    for head in heads {
        let mut parts = head["xvdguard: error: ".len()..].splitn(4, ':');
        assert!(parts.next().unwrap().ends_with(".toml"), "{head}");
        let numbers = parts.by_ref().take(2).filter(|part| part.parse::<u32>().is_ok());
        assert_eq!(numbers.count(), 2, "{head}");
        heads_count += 1;
    }
    assert_eq!(heads_count, count);
}
