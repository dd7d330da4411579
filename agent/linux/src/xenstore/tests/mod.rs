//! Tests that need more than one module, and what they share: frames and a server that obeys.

mod deadlines;
mod device;
mod limits;
mod mutations;
mod opening;
mod session;
mod transactions;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::client::Client;
use super::connect::Link;
use super::wire::{HEADER, Header, Kind};

/// A deadline that no passing test reaches.
fn far() -> Instant {
    after(30_000)
}

fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}

/// A message as a server sends it.
fn frame(kind: Kind, id: u32, payload: &[u8]) -> Vec<u8> {
    let length = payload.len() as u32;
    let header = Header { kind: kind as u32, id, transaction: 0, length };
    [header.to_bytes(), payload.to_vec()].concat()
}

/// The other end of a client's connection.
struct Server(UnixStream);

/// A request as a server receives it.
#[derive(Debug)]
struct Asked {
    kind: Kind,
    id: u32,
    transaction: u32,
    payload: Vec<u8>,
}

impl Server {
    fn new() -> (Client, Server) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        (Client::new(Link::socket(ours.into())), Server(theirs))
    }

    /// Plays the server's part beside the test.
    fn play<T: Send + 'static>(
        mut self,
        part: impl FnOnce(&mut Server) -> T + Send + 'static,
    ) -> JoinHandle<T> {
        thread::spawn(move || part(&mut self))
    }

    /// The next request; `None` where the client has gone.
    fn asked(&mut self) -> Option<Asked> {
        let mut header = [0; HEADER];
        self.0.read_exact(&mut header).ok()?;
        let header = Header::from_bytes(&header).unwrap();
        let mut payload = vec![0; header.length as usize];
        self.0.read_exact(&mut payload).ok()?;
        let kind = Kind::from_number(header.kind).unwrap();
        Some(Asked { kind, id: header.id, transaction: header.transaction, payload })
    }

    fn next(&mut self) -> Asked {
        self.asked().unwrap()
    }

    /// A client that has gone does not matter.
    fn send(&mut self, kind: Kind, id: u32, payload: &[u8]) {
        let _ = self.0.write_all(&frame(kind, id, payload));
    }

    /// Done, with this payload.
    fn done(&mut self, asked: &Asked, payload: &[u8]) {
        self.send(asked.kind, asked.id, payload);
    }

    /// Refused, with the name of an errno.
    fn refuse(&mut self, asked: &Asked, name: &str) {
        self.send(Kind::Error, asked.id, format!("{name}\0").as_bytes());
    }
}
