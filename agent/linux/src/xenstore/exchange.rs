//! Moves bytes between a session and its connection, up to a deadline.
//!
//! The only place that waits for a server's answers. Reads while it still has something to send,
//! so that two full pipes never wait for each other.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use super::connect::{self, Link, Received, Sent, Wait};
use super::error::{Cause, name_of};
use super::session::{Event, Reply, Session, Ticket};
use super::wire::Message;

/// Bytes of one read; some hundred answers of the usual length.
const CHUNK: usize = 8192;

/// A session on its connection.
#[derive(Debug)]
pub struct Exchange {
    link: Link,
    session: Session,
}

impl Exchange {
    /// A fresh session.
    pub fn new(link: Link) -> Exchange {
        let session = Session::new(link.window());
        Exchange { link, session }
    }

    /// Queues a request; `step` sends it.
    pub fn ask(&mut self, transaction: u32, message: &Message) -> Ticket {
        self.session.ask(transaction, message)
    }

    /// Receives what is there, then sends what can be sent. In this order: on the device a reply
    /// makes room for the next request.
    pub fn step(&mut self, deadline: Instant) {
        self.receive();
        self.send(deadline);
    }

    /// Whether a reply that somebody waits for can still come.
    pub fn is_waiting(&self) -> bool {
        self.session.is_waiting()
    }

    /// The reply to a request, after its steps. Where there is none, it will not be waited for
    /// again.
    pub fn take(&mut self, ticket: Ticket) -> Result<Reply, Cause> {
        self.session.take(ticket).ok_or_else(|| {
            self.session.abandon(ticket);
            self.closed().unwrap_or(Cause::TimedOut)
        })
    }

    /// Ends a transaction without effect and without waiting.
    pub fn give_up_transaction(&mut self, transaction: u32) {
        self.session.give_up_transaction(transaction);
        self.send(Instant::now());
    }

    /// The next event; `None` where none came before the deadline.
    pub fn next_event(&mut self, deadline: Instant) -> Result<Option<Event>, Cause> {
        loop {
            self.step(deadline);
            if let Some(event) = self.session.next_event() {
                return Ok(Some(event));
            }
            if let Some(cause) = self.closed() {
                return Err(cause);
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            connect::wait(std::iter::once(&*self), deadline);
        }
    }

    /// Whether an event was received that nobody has taken.
    pub fn has_event(&self) -> bool {
        self.session.has_event()
    }

    /// What to wait for on this connection.
    pub fn waits_for(&self) -> Wait<'_> {
        self.link.waits_for(!self.session.unsent().is_empty())
    }

    /// Why nothing can be asked any more.
    pub fn closed(&self) -> Option<Cause> {
        self.session.broken().map(|why| Cause::Closed(why.to_owned()))
    }

    /// Sends messages until the connection takes no more, or the deadline; one at least.
    fn send(&mut self, deadline: Instant) {
        while !self.session.unsent().is_empty() {
            match self.link.send(self.session.unsent()) {
                Sent::Some(count) => self.session.sent(count),
                Sent::Later => return,
                Sent::Refused(errno) => self.session.refused(name_of(errno)),
                Sent::Lost(errno) => self.session.fail(format!("it cannot be written: {errno}")),
            }
            if Instant::now() >= deadline {
                return;
            }
        }
    }

    /// Receives what one read gives.
    pub fn receive(&mut self) {
        if self.session.broken().is_some() {
            return;
        }
        let mut buffer = [0; CHUNK];
        match self.link.receive(&mut buffer) {
            Received::Some(count) => self.session.receive(&buffer[..count]),
            Received::Nothing => {}
            Received::Closed => self.session.fail("xenstored has closed it"),
            Received::Lost(errno) => self.session.fail(format!("it cannot be read: {errno}")),
        }
    }
}

impl AsFd for Exchange {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
