//! The kernel log: from records to facts.
//!
//! Only records of facility kern count: any other was written by a process, and nothing is ever
//! decided on those. Lines become facts here; what they add up to is said in `verdict`.

pub mod blkfront;
mod bounds;
pub mod connection;
pub mod matcher;
pub mod record;

use alloc::vec::Vec;

use crate::text::Text;
use blkfront::Message;
use record::Record;

/// The facts of a log, and how much of the log was there to be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelLog {
    /// Since when no record is missing, in milliseconds since boot: 0 when the log reaches back
    /// to the first record of this boot. `None` when there is no log to read.
    pub complete_since_ms: Option<u64>,
    /// What was understood and still counts, in order.
    pub facts: Vec<LogFact>,
    /// How many lines were understood, those that are over among them: another number is news.
    pub understood: u64,
}

/// One understood line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFact {
    /// When, in milliseconds since boot.
    pub boot_ms: u64,
    /// What it says.
    pub message: Message,
    /// The line as it was.
    pub line: Text,
}

impl KernelLog {
    /// Takes one record of the stream.
    pub fn take(&mut self, record: &Record<'_>) {
        let is_first = self.complete_since_ms.is_none();
        if is_first {
            let from_boot = record.sequence == 0;
            self.complete_since_ms = Some(if from_boot { 0 } else { record.boot_ms() });
        }
        if !record.is_from_kernel() {
            return;
        }
        if let Some(message) = Message::parse(record.text) {
            let line = Text::from(record.text);
            self.facts.push(LogFact { boot_ms: record.boot_ms(), message, line });
            self.understood += 1;
        }
    }

    /// Records were lost before one of this time (EPIPE of `/dev/kmsg`, a jump in sequence).
    pub fn gap(&mut self, next_record_ms: u64) {
        self.complete_since_ms = Some(next_record_ms);
    }

    /// Since when no line about failed flushes is missing: the kernel drops such lines when there
    /// are many ("callbacks suppressed").
    pub fn complete_for_flush_since_ms(&self) -> Option<u64> {
        let suppressed = self.facts.iter().filter(|fact| fact.message == Message::Suppressed);
        let last = suppressed.map(|fact| fact.boot_ms).max().unwrap_or(0);
        self.complete_since_ms.map(|since| since.max(last))
    }
}
