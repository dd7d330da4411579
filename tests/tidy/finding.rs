//! A breach of a rule, and the end of a test that found some.
//!
//! The place comes first, so that a terminal or an editor can jump to it.

use std::fmt;

/// One breach: where it is, what is wrong and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    file: String,
    line: usize,
    what: String,
}

impl Finding {
    /// A breach in `file` at `line`, which counts from 1.
    pub fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Finding { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Ends a test: passes when nothing was found, else fails with one line for each finding.
#[track_caller]
pub fn accept(mut findings: Vec<Finding>) {
    findings.sort();
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "{} to put right:\n{}\n", lines.len(), lines.join("\n"));
}

/// The findings as lines, for the tests of the rules.
pub fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(Finding::to_string).collect()
}

#[test]
fn a_finding_begins_with_its_place() {
    assert_eq!(Finding::new("a/b.rs", 7, "too long").to_string(), "a/b.rs:7: too long");
}

#[test]
#[should_panic(expected = "a.rs:1: wrong")]
fn one_finding_fails_the_test() {
    accept(vec![Finding::new("a.rs", 1, "wrong")]);
}
