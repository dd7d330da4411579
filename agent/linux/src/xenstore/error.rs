//! What went wrong with one request: what was tried, at which path, and why.
//!
//! A caller decides by the questions (`is_missing`, `is_quota`, ...), never by the text. Errors of
//! connecting and of parsing a listing are those of the crate (`crate::error`).

use std::fmt;

use rustix::io::Errno;
use xvdguard_logic::text::Text;

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    tried: &'static str,
    path: Text,
    cause: Cause,
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The server said no; the name of the errno as it sent it.
    Server(Text),
    /// No answer came before the deadline. Whether a change was made is not known.
    TimedOut,
    /// The connection is of no use any more; a new one is needed.
    Closed(String),
    /// The answer is not what the protocol promises.
    Malformed(String),
    /// Not sent: no server would take it.
    Limit(String),
    /// Not sent: our share of what the guest has is used up.
    Share(String),
}

/// A result with this module's error.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// `tried` is a verb ("read").
    pub fn new(tried: &'static str, path: impl Into<Text>, cause: Cause) -> Self {
        Error { tried, path: path.into(), cause }
    }

    /// Why.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// There is no such node.
    pub fn is_missing(&self) -> bool {
        self.is_any_of(&["ENOENT"])
    }

    /// The guest may not do that.
    pub fn is_permission(&self) -> bool {
        self.is_any_of(&["EACCES", "EPERM", "EROFS"])
    }

    /// A quota that the kernel's own drivers live from too is used up: give way.
    pub fn is_quota(&self) -> bool {
        matches!(self.cause, Cause::Share(_)) || self.is_any_of(&["E2BIG", "ENOSPC", "EDQUOT"])
    }

    /// Another client changed what this transaction touched.
    pub fn is_conflict(&self) -> bool {
        self.is_any_of(&["EAGAIN"])
    }

    /// The server did not answer in time.
    pub fn is_timeout(&self) -> bool {
        self.cause == Cause::TimedOut
    }

    /// Only a new connection can help.
    pub fn is_closed(&self) -> bool {
        matches!(self.cause, Cause::Closed(_))
    }

    fn is_any_of(&self, names: &[&str]) -> bool {
        matches!(&self.cause, Cause::Server(name) if names.iter().any(|one| name == one))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "cannot {} {} in xenstore: {}", self.tried, self.path, self.cause)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Server(name) => write!(to, "{name}"),
            Cause::TimedOut => write!(to, "no answer before the deadline"),
            Cause::Closed(why) => write!(to, "the connection is closed: {why}"),
            Cause::Malformed(why) => write!(to, "the answer makes no sense: {why}"),
            Cause::Limit(why) | Cause::Share(why) => write!(to, "not sent: {why}"),
        }
    }
}

impl std::error::Error for Error {}

/// The name of an errno, as a server would send it: Linux refuses some requests itself, as the
/// result of write(2).
pub fn name_of(errno: Errno) -> Text {
    let name = match errno {
        Errno::TOOBIG => "E2BIG",
        Errno::ACCESS => "EACCES",
        Errno::AGAIN => "EAGAIN",
        Errno::BUSY => "EBUSY",
        Errno::DQUOT => "EDQUOT",
        Errno::EXIST => "EEXIST",
        Errno::INVAL => "EINVAL",
        Errno::IO => "EIO",
        Errno::ISDIR => "EISDIR",
        Errno::NOENT => "ENOENT",
        Errno::NOMEM => "ENOMEM",
        Errno::NOSPC => "ENOSPC",
        Errno::NOSYS => "ENOSYS",
        Errno::PERM => "EPERM",
        Errno::ROFS => "EROFS",
        other => return Text::from(format!("errno {}", other.raw_os_error())),
    };
    Text::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str) -> Error {
        Error::new("read", "device/vbd/51712/backend", Cause::Server(Text::from(name)))
    }

    #[test]
    fn an_error_says_what_was_tried_where_and_why() {
        assert_eq!(
            refused("ENOENT").to_string(),
            "cannot read device/vbd/51712/backend in xenstore: ENOENT"
        );
        assert_eq!(
            Error::new("list", "a\x1b", Cause::TimedOut).to_string(),
            r"cannot list a\x1b in xenstore: no answer before the deadline"
        );
    }

    #[test]
    fn the_questions_tell_the_causes_apart() {
        assert!(refused("ENOENT").is_missing());
        assert!(refused("EACCES").is_permission());
        assert!(refused("EAGAIN").is_conflict());
        for quota in ["E2BIG", "ENOSPC", "EDQUOT"] {
            assert!(refused(quota).is_quota() && !refused(quota).is_missing());
        }
        assert!(Error::new("watch", "a", Cause::Share("8 are in use".to_owned())).is_quota());
        assert!(!Error::new("watch", "a", Cause::Limit("too long".to_owned())).is_quota());
    }

    #[test]
    fn an_errno_of_the_kernel_reads_like_one_of_the_server() {
        assert_eq!(name_of(Errno::NOSPC), "ENOSPC");
        assert_eq!(name_of(Errno::SRCH), "errno 3");
    }
}
