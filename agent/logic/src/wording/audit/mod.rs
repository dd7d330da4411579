//! What the audit says: what is so, why that matters, what to do.

pub mod alignment;
pub mod barrier_words;
pub mod barriers;
pub mod boot;
pub mod host;
pub mod names;
pub mod options;
pub mod panic;
pub mod queue;
pub mod timeouts;
pub mod volumes;
pub mod words;

use alloc::string::String;

/// The two halves of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What is so, and why that matters.
    pub text: String,
    /// What to do.
    pub remedy: String,
}

impl Said {
    fn new(text: impl Into<String>, remedy: impl Into<String>) -> Self {
        Said { text: text.into(), remedy: remedy.into() }
    }
}
