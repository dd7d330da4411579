//! Xenstore messages as bytes: types, header, limits.
//!
//! The numbers are those of Xen's public header xs_wire.h, in the byte order of this machine:
//! both ends run on it. What is larger or other than a server takes is refused here, since to
//! some servers it is a reason to close the connection.

use xvdguard_logic::text::Text;

/// Bytes of a header: type, request id, transaction id, length of the payload.
pub const HEADER: usize = 16;
/// The longest payload that the protocol knows.
pub const MAX_PAYLOAD: usize = 4096;
/// The longest payload we send: Linux takes header and payload in one buffer of 4096 bytes.
pub const MAX_REQUEST: usize = MAX_PAYLOAD - HEADER;
/// The longest path that begins with a slash.
const MAX_ABSOLUTE: usize = 3072;
/// The longest path that begins at the guest's own home.
const MAX_RELATIVE: usize = 2048;
/// The transaction id of a message outside of any transaction.
pub const NO_TRANSACTION: u32 = 0;

/// What a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Kind {
    /// The names of a node's children.
    Directory = 1,
    /// The value of a node.
    Read = 2,
    /// Who may read and write a node.
    GetPerms = 3,
    /// Tell of changes at and below a node.
    Watch = 4,
    /// Stop telling.
    Unwatch = 5,
    /// Begin a transaction.
    TransactionStart = 6,
    /// End a transaction, with or without effect.
    TransactionEnd = 7,
    /// The home of a domain.
    GetDomainPath = 10,
    /// Set the value of a node.
    Write = 11,
    /// Make a node without a value.
    Mkdir = 12,
    /// Remove a node and all below it.
    Rm = 13,
    /// From the server, unasked: something changed.
    WatchEvent = 15,
    /// From the server: the request failed.
    Error = 16,
    /// The names of a node's children, from an offset on.
    DirectoryPart = 22,
}

impl Kind {
    const ALL: [Kind; 14] = [
        Kind::Directory,
        Kind::Read,
        Kind::GetPerms,
        Kind::Watch,
        Kind::Unwatch,
        Kind::TransactionStart,
        Kind::TransactionEnd,
        Kind::GetDomainPath,
        Kind::Write,
        Kind::Mkdir,
        Kind::Rm,
        Kind::WatchEvent,
        Kind::Error,
        Kind::DirectoryPart,
    ];

    /// The kind that has this number on the wire.
    pub fn from_number(number: u32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u32 == number)
    }
}

/// The first 16 bytes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The number of its kind.
    pub kind: u32,
    /// Chosen by who asks, repeated by who answers.
    pub id: u32,
    /// The transaction it belongs to.
    pub transaction: u32,
    /// The length of what follows.
    pub length: u32,
}

impl Header {
    /// Reads a header; `None` where fewer than 16 bytes are there.
    pub fn from_bytes(bytes: &[u8]) -> Option<Header> {
        let mut words = bytes.get(..HEADER)?.chunks_exact(4);
        let mut word = || words.next()?.try_into().ok().map(u32::from_ne_bytes);
        Some(Header { kind: word()?, id: word()?, transaction: word()?, length: word()? })
    }

    /// The 16 bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        [self.kind, self.id, self.transaction, self.length]
            .into_iter()
            .flat_map(u32::to_ne_bytes)
            .collect()
    }
}

/// A request that keeps the limits, not yet numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    kind: Kind,
    payload: Vec<u8>,
}

impl Message {
    /// A message of words, each closed by a NUL, and then raw bytes; why not, where it is too long.
    pub fn new(kind: Kind, words: &[&[u8]], raw: &[u8]) -> Result<Message, String> {
        let mut payload = Vec::new();
        for word in words {
            if word.contains(&0) {
                return Err("a NUL inside a path or token cannot be sent".to_owned());
            }
            payload.extend_from_slice(word);
            payload.push(0);
        }
        payload.extend_from_slice(raw);
        match payload.len() {
            0..=MAX_REQUEST => Ok(Message { kind, payload }),
            length => Err(format!("{length} bytes are more than the {MAX_REQUEST} of a message")),
        }
    }

    /// Asks for something cheap, only to see whether the server answers.
    pub fn knock() -> Message {
        Message { kind: Kind::Read, payload: b"domid\0".to_vec() }
    }

    /// Begins a transaction.
    pub fn transaction_start() -> Message {
        Message { kind: Kind::TransactionStart, payload: vec![0] }
    }

    /// Ends a transaction, with (`T`) or without (`F`) effect.
    pub fn transaction_end(commit: bool) -> Message {
        let word: &[u8] = if commit { b"T\0" } else { b"F\0" };
        Message { kind: Kind::TransactionEnd, payload: word.to_vec() }
    }

    /// What it asks for.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The bytes to send.
    pub fn to_bytes(&self, id: u32, transaction: u32) -> Vec<u8> {
        let length = self.payload.len() as u32;
        let header = Header { kind: self.kind as u32, id, transaction, length };
        let mut bytes = header.to_bytes();
        bytes.extend_from_slice(&self.payload);
        bytes
    }
}

/// Why a server would not take a path.
pub fn check_path(path: &Text) -> Result<(), String> {
    let bytes = path.as_bytes();
    let limit = if path.starts_with("/") { MAX_ABSOLUTE } else { MAX_RELATIVE };
    if bytes.is_empty() {
        return Err("the path is empty".to_owned());
    }
    if bytes.len() > limit {
        return Err(format!("the path has {} bytes, {limit} are allowed", bytes.len()));
    }
    if let Some(byte) = bytes.iter().find(|byte| !is_allowed(**byte)) {
        let shown = Text::from(&[*byte][..]);
        return Err(format!("the path holds \"{shown}\", which xenstore does not allow"));
    }
    if bytes.windows(2).any(|pair| matches!(pair, b"//"))
        || (bytes.len() > 1 && bytes.ends_with(b"/"))
    {
        return Err("the path has an empty name in it".to_owned());
    }
    Ok(())
}

fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-/_@".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_a_header_and_its_words() {
        let message = Message::new(Kind::Write, &[b"data/a"], b"1").unwrap();
        let bytes = message.to_bytes(7, 9);
        assert_eq!(
            Header::from_bytes(&bytes),
            Some(Header { kind: 11, id: 7, transaction: 9, length: 8 })
        );
        assert_eq!(&bytes[HEADER..], b"data/a\x001");
        assert_eq!(Header::from_bytes(&bytes[..15]), None);
    }

    #[test]
    fn every_kind_has_the_number_of_the_public_header() {
        let numbers: Vec<u32> = Kind::ALL.iter().map(|kind| *kind as u32).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 15, 16, 22]);
        assert_eq!(Kind::from_number(22), Some(Kind::DirectoryPart));
        assert_eq!(Kind::from_number(8), None);
    }

    #[test]
    fn paths_that_a_server_refuses_are_refused_here() {
        let check = |path: &str| check_path(&Text::from(path));
        for good in ["/", "device/vbd/51712", "@releaseDomain", "/local/domain/0/a-b_c"] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in ["", "a//b", "a/", "a b", "a.b", "a\0b", "ü", "//"] {
            assert!(check(bad).is_err(), "{bad:?}");
        }
        assert_eq!(check(&"a".repeat(2048)), Ok(()));
        assert!(check(&"a".repeat(2049)).is_err());
        assert_eq!(check(&format!("/{}", "a".repeat(3071))), Ok(()));
        assert!(check(&format!("/{}", "a".repeat(3072))).is_err());
    }

    #[test]
    fn a_message_that_does_not_fit_the_device_is_refused() {
        let fits = vec![b'x'; MAX_REQUEST - 2];
        assert!(Message::new(Kind::Write, &[b"a"], &fits).is_ok());
        assert!(Message::new(Kind::Write, &[b"ab"], &fits).is_err());
        assert!(Message::new(Kind::Watch, &[b"a", b"to\0ken"], b"").is_err());
    }
}
