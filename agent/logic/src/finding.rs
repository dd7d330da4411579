//! A finding: something that a person should know, as JSON document F.

use alloc::string::String;
use core::fmt;

use serde::Serialize;

/// How bad a finding is; the order is that of exit codes and of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing need be done.
    Info,
    /// It makes an outage worse, or what is wanted is not complete without a person.
    Warning,
    /// The next boot fails, or data are at risk now.
    Critical,
}

impl Severity {
    /// The word of the design, also in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Warning => "warning",
            Severity::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.word())
    }
}

/// Something that is seen and not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What found it, in kebab-case.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// A file with its line, a disk, a mount point; safe for a terminal.
    #[serde(rename = "where")]
    pub place: String,
    /// What is so, and why that matters.
    pub text: String,
    /// What to do.
    pub remedy: String,
}
