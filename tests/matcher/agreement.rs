//! Lines out of the patterns, whole and broken: ours and the regex crate must read the same.

use std::collections::BTreeMap;

use harness::messages::{Messages, OVERLAPS, forge};
use harness::random::Random;

use crate::ours;

/// Lines for each row.
const LINES: usize = 1000;

#[test]
fn ours_and_the_patterns_read_the_same_out_of_every_line() {
    let messages = Messages::read().unwrap();
    let mut random = Random::from_environment();
    let mut understood = 0;
    for row in 0..messages.rows.len() {
        for _ in 0..LINES {
            let line = forge(&messages, row, &mut random).unwrap();
            let theirs = messages.read_line(&line).unwrap();
            assert_eq!(ours(&line), theirs, "\"{}\"", line.escape_ascii());
            understood += usize::from(theirs.is_some());
        }
    }
    let all = messages.rows.len() * LINES;
    println!("seed {}: {understood} of {all} lines said something", random.seed());
    assert!(understood > all / 4 && understood < all * 3 / 4, "{understood} of {all}");
}

#[test]
fn whole_lines_are_understood_and_their_overlaps_are_those_listed() {
    let messages = Messages::read().unwrap();
    let mut random = Random::from_environment();
    let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
    for row in &messages.rows {
        for _ in 0..LINES {
            let line = row.grow(&mut random).unwrap();
            let theirs = messages.read_line(&line).unwrap();
            assert!(theirs.is_some(), "{}: \"{}\"", row.id, line.escape_ascii());
            assert_eq!(ours(&line), theirs, "\"{}\"", line.escape_ascii());
            let winner = theirs.unwrap().0;
            for loser in messages.all(&line).iter().filter(|other| other.id != winner) {
                let pair = (winner.clone(), loser.id.clone());
                seen.entry(pair).or_insert_with(|| line.escape_ascii().to_string());
            }
        }
    }
    println!("seed {}; rows that overlap, the winner first:", random.seed());
    for ((winner, loser), line) in &seen {
        println!("  {winner:24} {loser:20} {line}");
    }
    for (specific, general) in OVERLAPS {
        let pair = (specific.to_owned(), general.to_owned());
        assert!(seen.contains_key(&pair), "{pair:?} is listed but never seen");
    }
}
