//! BENCHMARKS.md: chapters of tables, and the promises that were not kept.

use std::fmt::{self, Display, Write};
use std::fs;
use std::path::Path;
use std::time::Duration;

use harness::failure::{Result, Tried};

use crate::measure::Outcome;

/// The whole document.
#[derive(Debug)]
pub struct Report {
    head: String,
    chapters: Vec<Chapter>,
}

const INTRODUCTION: &str = "\
# Benchmarks

Written by `make bench`, never by hand. It fails where a limit is MISSED.

Each table is one run: its rows took turns, A B A B, after one turn to warm up. Times are medians;
*fastest* is the best turn, what the machine does while nobody disturbs it; *CPU* is user and
system time of a process with all its children. *Ratio* is the median of the ratios of the turns:
28× means that this row took 28 times as long as the first row. A process is measured from before
fork to after exit, a call in the library as it is built for the programs: for size.

";

impl Report {
    /// A document that begins with the machine.
    pub fn begin(machine: &str) -> Report {
        Report { head: format!("{INTRODUCTION}{machine}"), chapters: Vec::new() }
    }

    /// Adds a chapter.
    pub fn add(&mut self, chapter: Chapter) {
        self.chapters.push(chapter);
    }

    /// Writes the document to the root of the repository.
    pub fn save(&self) -> Result<()> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("BENCHMARKS.md");
        let chapters: Vec<String> = self.chapters.iter().map(ToString::to_string).collect();
        let text = format!("{}\n{}", self.head, chapters.join("\n"));
        fs::write(&path, text).tried(format_args!("write {}", path.display()))
    }

    /// The promises that were not kept.
    pub fn missed(&self) -> Vec<String> {
        self.chapters.iter().flat_map(|chapter| chapter.missed.clone()).collect()
    }
}

/// A title, a text, tables.
#[derive(Debug)]
pub struct Chapter {
    text: String,
    missed: Vec<String>,
}

impl Chapter {
    /// A chapter about `subject`; `text` says what was measured.
    pub fn new(subject: &str, text: &str) -> Chapter {
        Chapter { text: format!("## {subject}\n\n{text}\n"), missed: Vec::new() }
    }

    /// A paragraph between two tables.
    pub fn say(&mut self, text: &str) {
        let _ = write!(self.text, "\n{text}\n");
    }

    /// Adds a table.
    pub fn add(&mut self, table: Table) {
        let _ = write!(self.text, "\n{}", table.text);
        self.missed.extend(table.missed);
    }
}

impl Display for Chapter {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}

/// A table whose last column is the promise.
#[derive(Debug)]
pub struct Table {
    text: String,
    missed: Vec<String>,
}

impl Table {
    /// A table with these columns; the first is text, the others are numbers.
    pub fn new(columns: &[&str]) -> Table {
        let ruler = vec!["---:"; columns.len()].join("|");
        let text = format!("| {} | limit |\n|---|{ruler}|\n", columns.join(" | "));
        Table { text, missed: Vec::new() }
    }

    /// A row; its first cell names what was measured.
    pub fn row(&mut self, cells: &[String], promise: Option<Promise>) {
        let shown = promise.as_ref().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(self.text, "| {} | {shown} |", cells.join(" | "));
        let missed = promise.filter(|promise| !promise.is_kept);
        let name = cells.first().map_or("", String::as_str);
        self.missed.extend(missed.map(|promise| format!("{name}: {}", promise.limit)));
    }

    /// The table of a contest; `promises` in the order of its rows.
    pub fn of(outcomes: &[Outcome], promises: &[Option<Promise>]) -> Table {
        let mut table = Table::new(&["what", "wall", "fastest", "CPU", "ratio"]);
        for (index, outcome) in outcomes.iter().enumerate() {
            let ratio = if index == 0 { "1".into() } else { ratio(outcome.ratio) };
            let times = [outcome.wall, outcome.fastest, outcome.cpu].map(time);
            let cells = [[outcome.name.clone()].to_vec(), times.to_vec(), vec![ratio]].concat();
            table.row(&cells, promises.get(index).cloned().flatten());
        }
        table
    }
}

/// A limit, and whether it was kept.
#[derive(Debug, Clone)]
pub struct Promise {
    limit: String,
    is_kept: bool,
}

impl Promise {
    /// At most so many milliseconds.
    pub fn at_most_ms(measured: Duration, limit_ms: u64) -> Option<Promise> {
        let is_kept = measured <= Duration::from_millis(limit_ms);
        Some(Promise { limit: format!("≤ {limit_ms} ms"), is_kept })
    }

    /// At most so many of something that is counted.
    pub fn at_most(measured: u64, limit: u64) -> Option<Promise> {
        Some(Promise { limit: format!("≤ {}", grouped(limit)), is_kept: measured <= limit })
    }

    /// At least so many of something that is counted, or so many MB/s.
    pub fn at_least(measured: u64, limit: u64) -> Option<Promise> {
        Some(Promise { limit: format!("≥ {}", grouped(limit)), is_kept: measured >= limit })
    }

    /// A rival takes more than so many times as long.
    pub fn more_than_times(measured: f64, limit: u32) -> Option<Promise> {
        Some(Promise { limit: format!("> {limit}×"), is_kept: measured > f64::from(limit) })
    }
}

impl Display for Promise {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = if self.is_kept { "" } else { " **MISSED**" };
        write!(to, "{}{missed}", self.limit)
    }
}

/// `3.14 ms`: three digits that say something.
pub fn time(time: Duration) -> String {
    let us = time.as_secs_f64() * 1e6;
    let (value, unit) = match us {
        us if us < 999.5 => (us, "µs"),
        us if us < 999_500.0 => (us / 1e3, "ms"),
        us => (us / 1e6, "s"),
    };
    let digits = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.digits$} {unit}")
}

/// `28×`.
pub fn ratio(ratio: f64) -> String {
    let digits = if ratio < 9.95 { 1 } else { 0 };
    format!("{ratio:.digits$}×")
}

/// `1,451,712`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_that_is_not_kept_is_missed_in_table_and_list() {
        let mut table = Table::new(&["what", "bytes"]);
        table.row(&["large".into(), "3,000".into()], Promise::at_most(3000, 2500));
        table.row(&["small".into(), "2,500".into()], Promise::at_most(2500, 2500));
        table.row(&["free".into(), "9".into()], None);
        let expected = "| what | bytes | limit |\n|---|---:|---:|\n\
            | large | 3,000 | ≤ 2,500 **MISSED** |\n| small | 2,500 | ≤ 2,500 |\n| free | 9 |  |\n";
        assert_eq!(table.text, expected);
        let mut chapter = Chapter::new("Sizes", "Bytes.");
        chapter.add(table);
        let mut report = Report::begin("");
        report.add(chapter);
        assert_eq!(report.missed(), ["large: ≤ 2,500"]);
    }

    #[test]
    fn times_and_ratios_show_what_can_be_known() {
        let shown = [0, 12, 9_994, 9_996, 999_499, 999_500, 1_999_999_900];
        let shown = shown.map(|ns| time(Duration::from_nanos(ns)));
        assert_eq!(
            shown,
            ["0.00 µs", "0.01 µs", "9.99 µs", "10.0 µs", "999 µs", "1.00 ms", "2.00 s"]
        );
        assert_eq!([0.26, 9.94, 9.96, 82.4].map(ratio), ["0.3×", "9.9×", "10×", "82×"]);
        assert_eq!([7, 1000, 1_451_712].map(grouped), ["7", "1,000", "1,451,712"]);
    }
}
