//! A client of a running xenstored: many requests in one wave, every call with a deadline.
//!
//! A call returns at its deadline, whatever the server does, and a reply that comes later harms
//! nobody. Never retries by itself, never reconnects: after `is_closed` the caller makes a new
//! client. Tests: `tests/deadlines.rs` beside this file, and `tests/xenstore`.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Instant;

use xvdguard_logic::text::Text;

use super::budget::Budget;
use super::connect::Link;
use super::error::{Cause, Error, Result};
use super::lanes::{Lanes, Ticket};
use super::parts;
use super::request::{Answer, Permission, Request};
use super::session::{Event, Reply};
use super::wire::{Message, NO_TRANSACTION};

/// A connection to xenstored.
#[derive(Debug)]
pub struct Client {
    lanes: Lanes,
    budget: Budget,
    round_trips: u64,
    requests: u64,
}

impl Client {
    /// Connects to the xenstore of this machine.
    pub fn connect(deadline: Instant) -> crate::error::Result<Client> {
        Link::find(deadline).map(Client::new)
    }

    /// Connects to a socket or device that the caller names.
    pub fn connect_to(path: &Path, deadline: Instant) -> crate::error::Result<Client> {
        Link::open(path, deadline).map(Client::new)
    }

    /// A client over an open connection.
    pub(super) fn new(link: Link) -> Client {
        Client::over(Lanes::new(link))
    }

    /// A client over lanes.
    pub(super) fn over(lanes: Lanes) -> Client {
        Client { lanes, budget: Budget::default(), round_trips: 0, requests: 0 }
    }

    /// Asks everything at once and waits for all answers: one wave, however many requests. The
    /// results stand in the order of the requests.
    pub fn call_all(&mut self, requests: &[Request], deadline: Instant) -> Vec<Result<Answer>> {
        self.call_all_in(NO_TRANSACTION, requests, deadline)
    }

    /// One request.
    pub fn call(&mut self, request: &Request, deadline: Instant) -> Result<Answer> {
        self.call_in(NO_TRANSACTION, request, deadline)
    }

    /// The value of a node.
    pub fn read(&mut self, path: impl Into<Text>, deadline: Instant) -> Result<Text> {
        let request = Request::Read(path.into());
        self.call(&request, deadline)?.value().ok_or_else(|| request.answered_otherwise())
    }

    /// The names of a node's children, however many there are.
    pub fn directory(&mut self, path: impl Into<Text>, deadline: Instant) -> Result<Vec<Text>> {
        let request = Request::Directory(path.into());
        self.call(&request, deadline)?.names().ok_or_else(|| request.answered_otherwise())
    }

    /// Who may read and write a node, the owner first.
    pub fn get_perms(
        &mut self,
        path: impl Into<Text>,
        deadline: Instant,
    ) -> Result<Vec<Permission>> {
        let request = Request::GetPerms(path.into());
        self.call(&request, deadline)?.permissions().ok_or_else(|| request.answered_otherwise())
    }

    /// Sets the value of a node, makes it where it is missing.
    pub fn write(
        &mut self,
        path: impl Into<Text>,
        value: impl Into<Text>,
        deadline: Instant,
    ) -> Result<()> {
        self.call(&Request::Write(path.into(), value.into()), deadline).map(drop)
    }

    /// Makes a node where it is missing.
    pub fn mkdir(&mut self, path: impl Into<Text>, deadline: Instant) -> Result<()> {
        self.call(&Request::Mkdir(path.into()), deadline).map(drop)
    }

    /// Removes a node and all below it.
    pub fn rm(&mut self, path: impl Into<Text>, deadline: Instant) -> Result<()> {
        self.call(&Request::Rm(path.into()), deadline).map(drop)
    }

    /// Tells of every change at and below a path: once now, then with each change. Asking again
    /// for the same does nothing.
    pub fn watch(
        &mut self,
        path: impl Into<Text>,
        token: impl Into<Text>,
        deadline: Instant,
    ) -> Result<()> {
        let request = Request::Watch { path: path.into(), token: token.into() };
        self.call(&request, deadline).map(drop)
    }

    /// Stops telling. Events that were on their way may still come.
    pub fn unwatch(
        &mut self,
        path: impl Into<Text>,
        token: impl Into<Text>,
        deadline: Instant,
    ) -> Result<()> {
        let request = Request::Unwatch { path: path.into(), token: token.into() };
        self.call(&request, deadline).map(drop)
    }

    /// Whether an event came along with an answer: poll(2) does not tell of it.
    pub fn has_event(&self) -> bool {
        self.lanes.has_event()
    }

    /// The next event; `None` where none came before the deadline. A call may receive events
    /// along with its answers: take them until there is none before you poll the descriptor.
    pub fn next_event(&mut self, deadline: Instant) -> Result<Option<Event>> {
        let failed = |cause| Error::new("wait for", "an event", cause);
        self.lanes.first().next_event(deadline).map_err(failed)
    }

    /// How often this client waited for answers.
    pub fn round_trips(&self) -> u64 {
        self.round_trips
    }

    /// How many requests it made.
    pub fn requests(&self) -> u64 {
        self.requests
    }
}

/// What transactions and listings in parts are made of.
impl Client {
    /// As `call_all`, inside a transaction.
    pub(super) fn call_all_in(
        &mut self,
        transaction: u32,
        requests: &[Request],
        deadline: Instant,
    ) -> Vec<Result<Answer>> {
        let mut results = self.wave(transaction, requests, deadline);
        for (request, result) in requests.iter().zip(&mut results) {
            if parts::are_needed(request, result) {
                *result = parts::directory(self, transaction, request, deadline);
            }
        }
        results
    }

    /// As `call`, inside a transaction.
    pub(super) fn call_in(
        &mut self,
        transaction: u32,
        request: &Request,
        deadline: Instant,
    ) -> Result<Answer> {
        let mut results = self.call_all_in(transaction, std::slice::from_ref(request), deadline);
        results.pop().unwrap_or_else(|| Err(request.answered_otherwise()))
    }

    /// One message of the protocol and the payload of its reply.
    pub(super) fn exchange(
        &mut self,
        transaction: u32,
        message: &Message,
        deadline: Instant,
    ) -> std::result::Result<Vec<u8>, Cause> {
        let ticket = self.ask(transaction, message, false)?;
        self.run(deadline);
        match self.lanes.take(ticket)? {
            Reply::Done(payload) => Ok(payload),
            Reply::Refused(name) => Err(Cause::Server(name)),
        }
    }

    /// Ends a transaction without effect and without waiting.
    pub(super) fn give_up_transaction(&mut self, transaction: u32) {
        self.lanes.first().give_up_transaction(transaction);
    }

    fn wave(
        &mut self,
        transaction: u32,
        requests: &[Request],
        deadline: Instant,
    ) -> Vec<Result<Answer>> {
        // What changes something has its place among the others, and a transaction is one file's.
        let anywhere = transaction == NO_TRANSACTION && requests.iter().all(Request::only_reads);
        let mut queue = |request| self.queue(transaction, request, anywhere, deadline);
        let tickets: Vec<_> = requests.iter().map(&mut queue).collect();
        if tickets.iter().any(|ticket| matches!(ticket, Ok(Some(_)))) {
            self.run(deadline);
        }
        let results = requests.iter().zip(tickets);
        results.map(|(request, ticket)| self.collect(request, ticket?)).collect()
    }

    /// The request on its way, or nothing where it would do nothing.
    fn queue(
        &mut self,
        transaction: u32,
        request: &Request,
        anywhere: bool,
        deadline: Instant,
    ) -> Result<Option<Ticket>> {
        if self.budget.has(request) {
            return Ok(None);
        }
        let queued = request.to_message().map_err(Cause::Limit).and_then(|message| {
            if Instant::now() >= deadline {
                return Err(Cause::TimedOut);
            }
            self.budget.take(request)?;
            self.ask(transaction, &message, anywhere).map(Some)
        });
        queued.map_err(|cause| request.failed(cause))
    }

    fn ask(
        &mut self,
        transaction: u32,
        message: &Message,
        anywhere: bool,
    ) -> std::result::Result<Ticket, Cause> {
        if let Some(cause) = self.lanes.closed() {
            return Err(cause);
        }
        self.requests += 1;
        Ok(self.lanes.ask(transaction, message, anywhere))
    }

    fn run(&mut self, deadline: Instant) {
        self.round_trips += 1;
        self.lanes.run(deadline);
    }

    fn collect(&mut self, request: &Request, ticket: Option<Ticket>) -> Result<Answer> {
        let Some(ticket) = ticket else { return Ok(Answer::Done) };
        let result = match self.lanes.take(ticket) {
            Ok(Reply::Done(payload)) => request.answer(&payload).map_err(Cause::Malformed),
            Ok(Reply::Refused(name)) => request.refused(name),
            Err(cause) => Err(cause),
        };
        let result = result.map_err(|cause| request.failed(cause));
        self.budget.settle(request, &result);
        result
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.lanes.as_fd()
    }
}
