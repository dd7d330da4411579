//! The one error of this crate: what was tried, on what, and what the system said.
//!
//! Never printed here: a function returns it or its caller logs it, not both.

use std::fmt;

use rustix::io::Errno;
use xvdguard_logic::text::Text;

/// What was tried, on what, and why it failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    tried: &'static str,
    on: Text,
    cause: Cause,
}

/// Why something failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A system call failed.
    System(Errno),
    /// The content was not what it had to be; the sentence says how.
    Content(String),
    /// It did not answer within so many milliseconds.
    TimedOut(u64),
}

/// A result with this crate's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A system call failed: `tried` is a verb ("read"), `on` a path or a name.
    pub fn system(tried: &'static str, on: impl Into<Text>, errno: Errno) -> Self {
        Error { tried, on: on.into(), cause: Cause::System(errno) }
    }

    /// The same from a number, as std knows it.
    pub fn from_errno(tried: &'static str, on: impl Into<Text>, errno: i32) -> Self {
        Error::system(tried, on, Errno::from_raw_os_error(errno))
    }

    /// What was read cannot be right.
    pub fn content(tried: &'static str, on: impl Into<Text>, why: impl Into<String>) -> Self {
        Error { tried, on: on.into(), cause: Cause::Content(why.into()) }
    }

    /// It did not answer in time.
    pub fn timed_out(tried: &'static str, on: impl Into<Text>, after_ms: u64) -> Self {
        Error { tried, on: on.into(), cause: Cause::TimedOut(after_ms) }
    }

    /// Whether the thing simply does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self.cause, Cause::System(Errno::NOENT | Errno::NOTDIR))
    }

    /// Whether it takes more privileges.
    pub fn is_denied(&self) -> bool {
        matches!(self.cause, Cause::System(Errno::ACCESS | Errno::PERM))
    }

    /// The errno, where a system call failed.
    pub fn errno(&self) -> Option<Errno> {
        match self.cause {
            Cause::System(errno) => Some(errno),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "cannot {} {}: ", self.tried, self.on)?;
        match &self.cause {
            Cause::System(errno) => write!(to, "{errno}"),
            Cause::Content(why) => write!(to, "{why}"),
            Cause::TimedOut(after_ms) => write!(to, "no answer within {after_ms} ms"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_was_tried_on_what_and_the_errno() {
        let error = Error::system("read", "sys/block/xvda/queue/write_cache", Errno::IO);
        assert_eq!(
            error.to_string(),
            "cannot read sys/block/xvda/queue/write_cache: Input/output error (os error 5)"
        );
    }
}
