//! RESULTS.md, RECOVERY.md and PACKAGE.md: what each scenario came to when it was last run,
//! written by the run itself.
//!
//! A run replaces the rows that it ran and keeps the others below the heading of their own run, so
//! that a failure stays until that scenario passes. What is proven of files that no commit holds is
//! kept below target/xen instead. Never edited by hand; `tests/tidy/results.rs` refuses a file of a
//! commit that is not in the history.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use harness::failure::{Result, Tried};

use crate::wanted::Table;

/// Of what early boot does.
const EARLY: &str = "\
# What a real Xen showed

Written by `make xen`, never by hand. Each scenario is a file in `tests/xen/scenarios/`. *Without*
and *with*: a guest without xvdguard, and one that ran `xvdguard-early` before root was mounted;
with its verdict. *Seconds* are of both guests, which several scenarios share. A row stays until its
scenario is run again.
";
/// Of what the daemon does.
const RECOVERY: &str = "\
# What a real Xen showed of the daemon

Written by `make xen-recovery`, never by hand. Each scenario is a file in `tests/xen/scenarios/`,
played in a tiny guest whose init is no known one, or where its name says so in a Debian guest
with systemd. *Without*: with no xvdguard, or with `xvdguard=off`. *Seconds* are of both guests.
A row stays until its scenario is run again.
";
/// Of the package, installed.
const PACKAGE: &str = "\
# What a real Xen showed of the package

Written by `make xen-package`, never by hand. Each scenario is a file in
`tests/xen/scenarios/`, played in Debian guests that install the .deb themselves, and in images that
they were booted from. A row stays until its scenario is run again.
";
const COLUMNS: &str = "| scenario | kernel | without | with | expected | result | seconds |\n\
                       |---|---|---|---|---|---|---|\n";
const HEADING: &str = "## ";

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Name of the scenario.
    pub scenario: String,
    /// Name of the kernel.
    pub kernel: String,
    /// What the guest without xvdguard was seen to do.
    pub without: String,
    /// The same with it.
    pub with: String,
    /// What both must be seen to do.
    pub expected: String,
    /// `pass`, or `FAIL` and why.
    pub result: String,
    /// Of both guests.
    pub seconds: u64,
}

impl Row {
    fn line(&self) -> String {
        let Row { scenario, kernel, without, with, expected, result, seconds } = self;
        let result = result.replace('|', "/").replace('\n', " ");
        let cells = [scenario, kernel, without, with, expected, &result, &seconds.to_string()];
        format!("| {} |\n", cells.map(String::as_str).join(" | "))
    }

    /// The first two cells, which tell a row from all others.
    fn key(&self) -> String {
        format!("| {} | {} |", self.scenario, self.kernel)
    }
}

/// The document.
#[derive(Debug)]
pub struct Results {
    path: PathBuf,
    introduction: &'static str,
    heading: String,
    /// With the place of what they are of in the order of the report.
    rows: Vec<(usize, Row)>,
    earlier: String,
}

impl Results {
    /// Goes on with the document at `path`; `heading` is of this run: date, commit, versions.
    pub fn open(path: PathBuf, heading: String, table: Option<Table>) -> Results {
        let earlier = fs::read_to_string(&path).unwrap_or_default();
        let introduction = match table {
            Some(Table::Recovery) => RECOVERY,
            Some(Table::Package) => PACKAGE,
            Some(Table::Early) | None => EARLY,
        };
        Results { path, introduction, heading, rows: Vec::new(), earlier }
    }

    /// Adds a row and saves, so that whatever ends the run loses nothing.
    pub fn add(&mut self, place: usize, row: Row) -> Result<()> {
        self.rows.push((place, row));
        self.rows.sort_by_key(|(place, _)| *place);
        let new = self.path.with_extension("md.new");
        fs::write(&new, self.text()).tried(format_args!("write {}", new.display()))?;
        fs::rename(&new, &self.path).tried(format_args!("name {}", self.path.display()))
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n{HEADING}{}\n\n{COLUMNS}", self.introduction, self.heading);
        self.rows.iter().for_each(|(_, row)| text.push_str(&row.line()));
        for section in self.earlier.split(&format!("\n{HEADING}")).skip(1) {
            // Up to its table a section is a heading and prose.
            let (head, table) = section.split_once("\n|").unwrap_or((section, ""));
            let is_replaced =
                |line: &&str| self.rows.iter().any(|(_, row)| line.starts_with(&row.key()));
            let rows = table.lines().skip(2);
            let kept: Vec<&str> = rows.filter(|line| !is_replaced(line)).collect();
            if !kept.is_empty() {
                let _ = write!(text, "\n{HEADING}{head}\n{COLUMNS}{}\n", kept.join("\n"));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scenario: &str, result: &str) -> Row {
        let [without, with, expected] = ["a", "b", "c"].map(str::to_owned);
        let (scenario, kernel) = (scenario.to_owned(), "6.1".to_owned());
        Row { scenario, kernel, without, with, expected, result: result.to_owned(), seconds: 7 }
    }

    fn written(earlier: &str, heading: &str, rows: &[Row]) -> String {
        let (path, rows) = (PathBuf::new(), rows.iter().cloned().enumerate().collect());
        let (heading, earlier) = (heading.into(), earlier.into());
        Results { path, introduction: EARLY, heading, rows, earlier }.text()
    }

    #[test]
    fn a_failure_stays_until_it_passes() {
        let first = written("", "day one\n\nQEMU 1", &[row("x", "FAIL"), row("y", "pass")]);
        let second = written(&first, "day two\n\nQEMU 1", &[row("y", "FAIL again | so")]);
        assert!(second.contains("## day two\n\nQEMU 1\n\n| scenario"), "{second}");
        assert!(second.contains("| y | 6.1 | a | b | c | FAIL again / so | 7 |\n"), "{second}");
        assert!(
            second.ends_with(
                "## day one\n\nQEMU 1\n\n| scenario | kernel | without | with | \
            expected | result | seconds |\n|---|---|---|---|---|---|---|\n\
            | x | 6.1 | a | b | c | FAIL | 7 |\n"
            ),
            "{second}"
        );
        let third = written(&second, "day three", &[row("x", "pass"), row("y", "pass")]);
        assert!(!third.contains("FAIL") && !third.contains("day one"), "{third}");
    }
}
