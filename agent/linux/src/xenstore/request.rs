//! What may be asked, and what comes back.
//!
//! Paths without a leading slash begin at the guest's own home (`/local/domain/N`). Tests: below,
//! and against a real xenstored in `tests/xenstore`.

use xvdguard_logic::text::Text;

use super::error::{Cause, Error};
use super::wire::{self, Kind, Message};

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// The value of a node.
    Read(Text),
    /// The names of a node's children.
    Directory(Text),
    /// Who may read and write a node.
    GetPerms(Text),
    /// Set the value of a node, make it where it is missing.
    Write(Text, Text),
    /// Make a node where it is missing.
    Mkdir(Text),
    /// Remove a node and all below it.
    Rm(Text),
    /// Tell of every change at and below a path. Events carry the token.
    Watch {
        /// Where.
        path: Text,
        /// The name of this watch among ours.
        token: Text,
    },
    /// Stop telling.
    Unwatch {
        /// As in `Watch`.
        path: Text,
        /// As in `Watch`.
        token: Text,
    },
}

/// What a request gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// To `Read`.
    Value(Text),
    /// To `Directory`.
    Names(Vec<Text>),
    /// To `GetPerms`: the owner first, whose access is that of everybody not named after it.
    Permissions(Vec<Permission>),
    /// To everything else.
    Done,
}

/// What one domain may do with a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// The domain's number.
    pub domain: u32,
    /// Whether it may read the node.
    pub may_read: bool,
    /// Whether it may write the node.
    pub may_write: bool,
}

impl Request {
    /// The value of a node.
    pub fn read(path: impl Into<Text>) -> Request {
        Request::Read(path.into())
    }

    /// The names of a node's children.
    pub fn directory(path: impl Into<Text>) -> Request {
        Request::Directory(path.into())
    }

    /// Whether it neither changes anything nor lasts.
    pub fn only_reads(&self) -> bool {
        matches!(self, Request::Read(_) | Request::Directory(_) | Request::GetPerms(_))
    }

    /// What it is about.
    pub fn path(&self) -> &Text {
        match self {
            Request::Read(path) | Request::Directory(path) | Request::GetPerms(path) => path,
            Request::Write(path, _) | Request::Mkdir(path) | Request::Rm(path) => path,
            Request::Watch { path, .. } | Request::Unwatch { path, .. } => path,
        }
    }

    /// The error that this request failed, and why.
    pub fn failed(&self, cause: Cause) -> Error {
        let tried = match self {
            Request::Read(_) => "read",
            Request::Directory(_) => "list",
            Request::GetPerms(_) => "read the permissions of",
            Request::Write(..) => "write",
            Request::Mkdir(_) => "make",
            Request::Rm(_) => "remove",
            Request::Watch { .. } => "watch",
            Request::Unwatch { .. } => "stop watching",
        };
        Error::new(tried, self.path().clone(), cause)
    }

    /// The error that the answer was one to another request.
    pub fn answered_otherwise(&self) -> Error {
        self.failed(Cause::Malformed("an answer of another kind".to_owned()))
    }

    /// What it means that the server refused this. A watch that is there already is what was
    /// wanted: an earlier request for it may have run into its deadline.
    pub fn refused(&self, name: Text) -> Result<Answer, Cause> {
        match self {
            Request::Watch { .. } if name == "EEXIST" => Ok(Answer::Done),
            _ => Err(Cause::Server(name)),
        }
    }

    /// What to send, or why no server would take it.
    pub fn to_message(&self) -> Result<Message, String> {
        wire::check_path(self.path())?;
        let path = self.path().as_bytes();
        match self {
            Request::Read(_) => Message::new(Kind::Read, &[path], b""),
            Request::Directory(_) => Message::new(Kind::Directory, &[path], b""),
            Request::GetPerms(_) => Message::new(Kind::GetPerms, &[path], b""),
            Request::Write(_, value) => Message::new(Kind::Write, &[path], value.as_bytes()),
            Request::Mkdir(_) => Message::new(Kind::Mkdir, &[path], b""),
            Request::Rm(_) => Message::new(Kind::Rm, &[path], b""),
            Request::Watch { token, .. } => {
                Message::new(Kind::Watch, &[path, token.as_bytes()], b"")
            }
            Request::Unwatch { token, .. } => {
                Message::new(Kind::Unwatch, &[path, token.as_bytes()], b"")
            }
        }
    }

    /// What the payload of the reply means, or why it means nothing.
    pub fn answer(&self, payload: &[u8]) -> Result<Answer, String> {
        match self {
            Request::Read(_) => Ok(Answer::Value(Text::from(payload))),
            Request::Directory(_) => words(payload).map(Answer::Names),
            Request::GetPerms(_) => words(payload)?
                .iter()
                .map(permission)
                .collect::<Result<_, _>>()
                .map(Answer::Permissions),
            _ => Ok(Answer::Done),
        }
    }
}

impl Answer {
    /// The value that a `Read` gave.
    pub fn value(self) -> Option<Text> {
        match self {
            Answer::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The names that a `Directory` gave.
    pub fn names(self) -> Option<Vec<Text>> {
        match self {
            Answer::Names(names) => Some(names),
            _ => None,
        }
    }

    /// The permissions that a `GetPerms` gave.
    pub fn permissions(self) -> Option<Vec<Permission>> {
        match self {
            Answer::Permissions(permissions) => Some(permissions),
            _ => None,
        }
    }
}

/// Splits words that are each closed by a NUL; none of them is empty.
pub fn words(payload: &[u8]) -> Result<Vec<Text>, String> {
    let Some(closed) = payload.strip_suffix(b"\0") else {
        return if payload.is_empty() { Ok(Vec::new()) } else { Err("an open word".to_owned()) };
    };
    let words: Vec<Text> = closed.split(|byte| *byte == 0).map(Text::from).collect();
    if words.iter().any(Text::is_empty) { Err("an empty word".to_owned()) } else { Ok(words) }
}

/// `n`, `r`, `w` or `b` (none, read, write, both) and the domain's number.
fn permission(word: &Text) -> Result<Permission, String> {
    let wrong = || format!("the permission \"{word}\"");
    let (access, domain) = word.as_str().and_then(|w| w.split_at_checked(1)).ok_or_else(wrong)?;
    let (may_read, may_write) = match access {
        "n" => (false, false),
        "r" => (true, false),
        "w" => (false, true),
        "b" => (true, true),
        _ => return Err(wrong()),
    };
    let domain = domain.parse().map_err(|_| wrong())?;
    Ok(Permission { domain, may_read, may_write })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_closed_by_a_nul() {
        let names = |payload: &[u8]| Request::directory("a").answer(payload);
        assert_eq!(names(b""), Ok(Answer::Names(vec![])));
        let two = vec![Text::from("51712"), Text::from("51728")];
        assert_eq!(names(b"51712\x0051728\0"), Ok(Answer::Names(two)));
        assert!(names(b"51712").is_err());
        assert!(names(b"\0").is_err());
        assert!(names(b"a\0\0b\0").is_err());
    }

    #[test]
    fn permissions_are_a_letter_and_a_domain() {
        let perms = |payload: &[u8]| Request::GetPerms(Text::from("a")).answer(payload);
        let owner = Permission { domain: 0, may_read: false, may_write: false };
        let reader = Permission { domain: 1, may_read: true, may_write: false };
        assert_eq!(perms(b"n0\0r1\0"), Ok(Answer::Permissions(vec![owner, reader])));
        for bad in [&b"x1\0"[..], b"r\0", b"r-1\0", b"r99999999999\0", b"\xff1\0", b"\xc3\xbc1\0"] {
            assert!(perms(bad).is_err(), "{:?}", Text::from(bad));
        }
    }

    #[test]
    fn a_value_is_sent_without_a_closing_nul() {
        let message = Request::Write(Text::from("data/a"), Text::from("1")).to_message().unwrap();
        assert!(message.to_bytes(1, 0).ends_with(b"data/a\x001"));
        assert_eq!(
            Request::read("a b").to_message(),
            Err("the path holds \" \", which xenstore does not allow".to_owned())
        );
    }
}
