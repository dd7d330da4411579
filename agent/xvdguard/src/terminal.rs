//! Output: the one place that prints.
//!
//! Colour only on a terminal, and never where NO_COLOR or --no-color says so. Texts that come here
//! are escaped already: whoever has a `Text` shows it by its `Display`.

use std::io::{IsTerminal, Write};

use xvdguard_logic::audit::Severity;
use xvdguard_logic::explain::story::Verdict;
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::wording::explain::{Line, Tone};

/// Prints to standard output; a closed pipe is no reason to fail.
pub fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// One line to standard error.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    is_on: bool,
}

impl Paint {
    /// Decides once for the whole run.
    pub fn new(no_color: bool) -> Self {
        let forbidden = no_color || std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty());
        Paint { is_on: !forbidden && std::io::stdout().is_terminal() }
    }

    /// A line, coloured by what its verdict means for the data.
    pub fn verdict(self, verdict: FlushVerdict, line: &str) -> String {
        let color = match verdict {
            FlushVerdict::Proven | FlushVerdict::Absent | FlushVerdict::Off => "32",
            FlushVerdict::Untested | FlushVerdict::SwitchedOff => "33",
            FlushVerdict::Refused | FlushVerdict::Failing | FlushVerdict::Lost => "31",
        };
        self.wrap(color, line)
    }

    /// A line, coloured by how bad it is.
    pub fn severity(self, severity: Severity, line: &str) -> String {
        let color = match severity {
            Severity::Critical => "31",
            Severity::Warning => "33",
            Severity::Info => "36",
        };
        self.wrap(color, line)
    }

    /// A line of a story.
    pub fn story(self, line: &Line) -> String {
        match line.tone {
            Tone::Verdict(Verdict::Healthy) => self.wrap("32", &line.text),
            Tone::Verdict(Verdict::Stalled) => self.wrap("33", &line.text),
            Tone::Verdict(_) => self.wrap("31", &line.text),
            Tone::Plain => line.text.clone(),
            Tone::Faint => self.faint(&line.text),
        }
    }

    /// A line of less weight.
    pub fn faint(self, line: &str) -> String {
        self.wrap("2", line)
    }

    fn wrap(self, code: &str, line: &str) -> String {
        if self.is_on { format!("\x1b[{code}m{line}\x1b[0m") } else { line.into() }
    }
}
