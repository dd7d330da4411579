//! `agent/logic/data/barrier-options.tsv`, read when this crate is compiled: a row that cannot be
//! read is an error of the compiler.

use crate::kernel_version::KernelVersion;

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// The type in fstab.
    pub fstype: &'static [u8],
    /// The code that serves it.
    pub driver: &'static [u8],
    /// The first release with it.
    pub from: KernelVersion,
    /// The first release without it.
    pub below: KernelVersion,
    /// Alternatives between `|`.
    pub words: &'static [u8],
    /// What they do on mount.
    pub mount: Outcome,
    /// What they do on remount.
    pub remount: Outcome,
}

/// What a word does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    On,
    Off,
    Accepted,
    Ignored,
    Refused,
    Never,
    Unknown,
}

const TABLE: &[u8] = include_bytes!("../../data/barrier-options.tsv");
const COLUMNS: usize = 8;
/// Above every release.
const NONE_YET: KernelVersion = KernelVersion::new(u16::MAX, 0, 0);

pub(super) static ROWS: [Row; count(TABLE)] = read(TABLE);

/// The lines that are no comment, without the header.
const fn count(mut table: &'static [u8]) -> usize {
    let mut rows = 0;
    while !table.is_empty() {
        let (line, rest) = cut(table, b'\n');
        rows += is_row(line) as usize;
        table = rest;
    }
    rows - 1
}

const fn is_row(line: &[u8]) -> bool {
    !line.is_empty() && line[0] != b'#'
}

const fn read(mut table: &'static [u8]) -> [Row; count(TABLE)] {
    let mut rows = [Row {
        fstype: b"",
        driver: b"",
        from: NONE_YET,
        below: NONE_YET,
        words: b"",
        mount: Outcome::Unknown,
        remount: Outcome::Unknown,
    }; count(TABLE)];
    let mut next = 0;
    let mut is_header = true;
    while !table.is_empty() {
        let (line, rest) = cut(table, b'\n');
        if is_row(line) && !is_header {
            rows[next] = row(line);
            next += 1;
        }
        is_header &= !is_row(line);
        table = rest;
    }
    rows
}

const fn row(mut line: &'static [u8]) -> Row {
    let mut fields: [&'static [u8]; COLUMNS] = [b""; COLUMNS];
    let mut column = 0;
    while column < COLUMNS {
        (fields[column], line) = cut(line, b'\t');
        assert!(!fields[column].is_empty(), "an empty field, or one too few");
        column += 1;
    }
    assert!(line.is_empty(), "one field too many");
    let [fstype, driver, from, below, words, mount, remount, _source] = fields;
    let below = if below[0] == b'-' { NONE_YET } else { version(below) };
    let (mount, remount) = (outcome(mount), outcome(remount));
    Row { fstype, driver, from: version(from), below, words, mount, remount }
}

/// What stands before the first `at`, and what behind it.
const fn cut(text: &'static [u8], at: u8) -> (&'static [u8], &'static [u8]) {
    let mut end = 0;
    while end < text.len() && text[end] != at {
        end += 1;
    }
    let (before, rest) = text.split_at(end);
    (before, if rest.is_empty() { rest } else { rest.split_at(1).1 })
}

/// Three numbers.
const fn version(text: &'static [u8]) -> KernelVersion {
    let (major, rest) = cut(text, b'.');
    let (minor, patch) = cut(rest, b'.');
    KernelVersion::new(number(major), number(minor), number(patch))
}

const fn number(text: &[u8]) -> u16 {
    assert!(!text.is_empty(), "a version is three numbers");
    let mut value = 0;
    let mut at = 0;
    while at < text.len() {
        assert!(text[at].is_ascii_digit(), "a version is three numbers");
        value = value * 10 + (text[at] - b'0') as u16;
        at += 1;
    }
    value
}

const fn outcome(word: &[u8]) -> Outcome {
    match word {
        b"on" => Outcome::On,
        b"off" => Outcome::Off,
        b"accepted" => Outcome::Accepted,
        b"ignored" => Outcome::Ignored,
        b"refused" => Outcome::Refused,
        b"never" => Outcome::Never,
        _ => {
            assert!(matches!(word, b"?" | b"-"), "no such outcome");
            Outcome::Unknown
        }
    }
}
