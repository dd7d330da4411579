//! The one error of the harness: a sentence that says what was tried and why it failed.
//!
//! Tests unwrap it, so `Debug` prints the sentence too. Never carries anything to match on.

use std::fmt;

/// What was tried and why it failed.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(String);

/// A result with a sentence as its error.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure with this sentence.
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure(sentence.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// Says what was tried where something fails.
pub trait Tried<T> {
    /// Puts "cannot `what`: " in front of the error.
    fn tried(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Tried<T> for std::result::Result<T, E> {
    fn tried(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure(format!("cannot {what}: {error}")))
    }
}
