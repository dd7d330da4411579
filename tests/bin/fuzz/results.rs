//! What a run came to, said and written. Never of a run that failed: that one ends before.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use harness::failure::{Result, Tried};
use harness::{checkout, program};

use crate::parsers::{Parser, Tally};

/// A run that came to its end.
pub struct Done {
    /// What it tried; empty where nothing is written.
    pub commit: String,
    /// Its first seed.
    pub first: u64,
    /// How many inputs there were.
    pub cases: u64,
    /// How long it took.
    pub seconds: u64,
}

/// For a terminal; the last line tells of the last parser.
pub fn said(done: &Done, parsers: &[Parser], tallies: &[Tally]) -> String {
    let mut said = format!("fuzz: {} executions in {} s", done.cases, done.seconds);
    for (parser, Tally { cases, understood }) in parsers.iter().zip(tallies) {
        let name = parser.name;
        let _ = write!(said, "\nfuzz: {name:14} {cases:>10}, {understood:>10} understood");
    }
    said
}

/// The commit that is checked out.
pub fn commit(path: &Path) -> Result<String> {
    checkout::commit(&path.to_string_lossy())
}

/// For people who ask how long it was tried.
pub fn save(path: &Path, done: &Done, parsers: &[Parser], tallies: &[Tally]) -> Result<()> {
    let Done { commit, first, cases, seconds } = done;
    let date = program::run("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?;
    let mut text = format!(
        "# The last run of `make fuzz`\n\n\
         Written by it, when it ended without a failure. *Understood*: the parser made something \
         of the input, so that what it made was held against its rules.\n\n\
         {}, commit {commit}, from seed {first}: {cases} inputs in {seconds} s\n\n\
         | parser | inputs | understood |\n|---|---:|---:|\n",
        date.trim_end()
    );
    for (parser, Tally { cases, understood }) in parsers.iter().zip(tallies) {
        let _ = writeln!(text, "| {} | {cases} | {understood} |", parser.name);
    }
    fs::write(path, text).tried(format_args!("write {}", path.display()))
}
