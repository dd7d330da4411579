//! The table of kernel messages as a specification: its rows, their patterns run by the regex
//! crate, and lines that a pattern describes, whole and broken.
//!
//! Never asks the agent's own matchers: they are what is held against this.

mod forge;
mod grow;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::failure::{Failure, Result, Tried};

pub use forge::forge;

/// Rows of which one describes every line that the other might, and more exactly: it wins.
pub const OVERLAPS: [(&str, &str); 8] = [
    ("ext3_detected_abort_26", "ext3_error"),
    ("ext3_abort_user", "ext3_error"),
    ("ext4_detected_abort", "ext4_error"),
    ("ext4_abort_user", "ext4_error"),
    ("ext4_umount_journal", "ext4_error"),
    ("jfs_ro", "jfs_error"),
    // "dm-0" is a device, not the journal of inode 0 on "dm".
    ("jbd_abort", "jbd2_abort"),
    // A path where fs/buffer.c would print a name.
    ("btrfs_lost_page", "lost_page_write_old"),
];

/// One message of the kernel.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub id: String,
    /// Who says it.
    pub subsystem: String,
    /// How bad it is.
    pub severity: String,
    /// What it looks like.
    pub pattern: String,
    /// A line that was seen.
    pub example: String,
    regex: Regex,
}

/// What a line says: the id of its row, and the named parts.
pub type Reading = (String, BTreeMap<String, Vec<u8>>);

/// All messages.
#[derive(Debug)]
pub struct Messages {
    /// In the order of the table.
    pub rows: Vec<Row>,
    set: RegexSet,
}

impl Messages {
    /// Reads `agent/logic/data/kernel-messages.tsv`.
    pub fn read() -> Result<Messages> {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = tests.with_file_name("agent/logic/data/kernel-messages.tsv");
        let text = fs::read_to_string(&path).tried(format_args!("read {}", path.display()))?;
        let lines = text.lines().filter(|line| !line.starts_with('#')).skip(1);
        let rows = lines.map(Row::read).collect::<Result<Vec<Row>>>()?;
        let patterns = rows.iter().map(|row| &row.pattern);
        let set = RegexSetBuilder::new(patterns).unicode(false).build();
        Ok(Messages { set: set.tried("compile the patterns")?, rows })
    }

    /// The row with this id.
    pub fn row(&self, id: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.id == id)
    }

    /// Every row whose pattern describes the line.
    pub fn all(&self, line: &[u8]) -> Vec<&Row> {
        self.set.matches(line).iter().map(|index| &self.rows[index]).collect()
    }

    /// Whether any row describes the line.
    pub fn describes(&self, line: &[u8]) -> bool {
        self.set.is_match(line)
    }

    /// What the line says, by the most specific row that describes it.
    pub fn read_line(&self, line: &[u8]) -> Result<Option<Reading>> {
        let all = self.all(line);
        let is_beaten = |row: &Row| {
            let others = all.iter().map(|other| other.id.as_str());
            others.clone().any(|other| OVERLAPS.contains(&(other, row.id.as_str())))
        };
        let best: Vec<&&Row> = all.iter().filter(|row| !is_beaten(row)).collect();
        match best[..] {
            [] => Ok(None),
            [row] => Ok(Some((row.id.clone(), row.captures(line)))),
            _ => {
                let ids: Vec<&str> = best.iter().map(|row| row.id.as_str()).collect();
                let line = line.escape_ascii();
                Err(Failure::new(format!("rows {ids:?} overlap in \"{line}\" and are not listed")))
            }
        }
    }
}

impl Row {
    fn read(line: &str) -> Result<Row> {
        let cells: Vec<&str> = line.split('\t').collect();
        let [id, subsystem, _, _, severity, pattern, example, _] = cells[..] else {
            return Err(Failure::new(format!("a row has {} cells: {line}", cells.len())));
        };
        let regex = RegexBuilder::new(pattern).unicode(false).build();
        Ok(Row {
            id: id.to_owned(),
            subsystem: subsystem.to_owned(),
            severity: severity.to_owned(),
            pattern: pattern.to_owned(),
            example: example.to_owned(),
            regex: regex.tried(format_args!("compile the pattern of {id}"))?,
        })
    }

    /// The named parts of a line that the pattern describes; `device_2` is another `device`.
    pub fn captures(&self, line: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let Some(found) = self.regex.captures(line) else { return BTreeMap::new() };
        let names = self.regex.capture_names().flatten();
        let there = names.filter_map(|name| Some((name, found.name(name)?.as_bytes())));
        there.map(|(name, text)| (name.trim_end_matches("_2").to_owned(), text.to_vec())).collect()
    }

    /// A line that the pattern describes.
    pub fn grow(&self, random: &mut crate::random::Random) -> Result<Vec<u8>> {
        grow::line(&self.pattern, random)
    }
}
