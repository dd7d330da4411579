//! Whole messages out of bytes that come in any pieces.
//!
//! Never holds more than one message of the greatest length that is allowed.

use super::wire::{HEADER, Header, MAX_PAYLOAD};

/// The message that is being received.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
}

/// A header and its payload.
pub type Received = (Header, Vec<u8>);

impl Inbox {
    /// Takes bytes off the front of `bytes`, until a message is whole or nothing is left. The
    /// reason, where what comes cannot be a message.
    pub fn receive(&mut self, bytes: &mut &[u8]) -> Result<Option<Received>, String> {
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at(self.missing()?.min(bytes.len()));
            self.bytes.extend_from_slice(piece);
            *bytes = rest;
            if self.missing()? == 0 {
                return Ok(self.take());
            }
        }
        Ok(None)
    }

    /// The bytes of memory it holds.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// How many bytes the header, or the message, still needs.
    fn missing(&self) -> Result<usize, String> {
        let Some(header) = Header::from_bytes(&self.bytes) else {
            return Ok(HEADER - self.bytes.len());
        };
        match header.length as usize {
            length @ 0..=MAX_PAYLOAD => Ok(HEADER + length - self.bytes.len()),
            length => Err(format!("a message of {length} bytes, {MAX_PAYLOAD} are allowed")),
        }
    }

    fn take(&mut self) -> Option<Received> {
        let payload = self.bytes.split_off(HEADER);
        let header = Header::from_bytes(&self.bytes);
        self.bytes.clear();
        header.map(|header| (header, payload))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: u32, payload: &[u8]) -> Vec<u8> {
        let header = Header { kind: 2, id: 1, transaction: 0, length };
        [header.to_bytes(), payload.to_vec()].concat()
    }

    #[test]
    fn a_message_may_come_in_any_pieces() {
        let stream = [bytes(3, b"one"), bytes(0, b""), bytes(3, b"two")].concat();
        for size in 1..stream.len() {
            let mut inbox = Inbox::default();
            let mut payloads = Vec::new();
            for mut piece in stream.chunks(size) {
                while let Some((_, payload)) = inbox.receive(&mut piece).unwrap() {
                    payloads.push(payload);
                }
            }
            assert_eq!(payloads, [&b"one"[..], b"", b"two"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_it_is_received() {
        let mut inbox = Inbox::default();
        assert!(inbox.receive(&mut &bytes(4096, b"")[..]).unwrap().is_none());
        let error = Inbox::default().receive(&mut &bytes(4097, b"")[..]).unwrap_err();
        assert_eq!(error, "a message of 4097 bytes, 4096 are allowed");
    }
}
