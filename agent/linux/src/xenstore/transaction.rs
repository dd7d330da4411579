//! Several changes as one: all of them or none.
//!
//! Redone when another client came in between, a few times at most. The server never keeps a
//! transaction that its owner has left, however it was left. Tests: `tests/transactions.rs` beside
//! this file, and `tests/xenstore`.

use std::time::Instant;

use xvdguard_logic::text::Text;

use super::client::Client;
use super::error::{Cause, Error, Result};
use super::request::{Answer, Request};
use super::session::transaction_number;
use super::wire::{Message, NO_TRANSACTION};

/// How often a transaction is done before its conflict is the caller's.
const ATTEMPTS: usize = 5;

/// A transaction that is under way.
#[derive(Debug)]
pub struct Transaction<'a> {
    client: &'a mut Client,
    number: u32,
    deadline: Instant,
    ended: bool,
}

impl Client {
    /// Does everything that `work` asks for as one change. `work` is called again from the start
    /// after a conflict; where it fails, nothing is changed.
    pub fn transaction<T>(
        &mut self,
        deadline: Instant,
        mut work: impl FnMut(&mut Transaction<'_>) -> Result<T>,
    ) -> Result<T> {
        let mut attempt = 1;
        loop {
            let mut transaction = Transaction::start(self, deadline)?;
            let value = work(&mut transaction)?;
            match transaction.commit() {
                Err(error) if error.is_conflict() && attempt < ATTEMPTS => attempt += 1,
                result => return result.map(|()| value),
            }
        }
    }
}

impl<'a> Transaction<'a> {
    fn start(client: &'a mut Client, deadline: Instant) -> Result<Transaction<'a>> {
        let failed = |cause| Error::new("start", "a transaction", cause);
        let message = Message::transaction_start();
        let payload = client.exchange(NO_TRANSACTION, &message, deadline).map_err(failed)?;
        let none = || failed(Cause::Malformed("a transaction without a number".to_owned()));
        let number = transaction_number(&payload).ok_or_else(none)?;
        Ok(Transaction { client, number, deadline, ended: false })
    }

    fn commit(mut self) -> Result<()> {
        let failed = |cause| Error::new("commit", "a transaction", cause);
        if Instant::now() >= self.deadline {
            return Err(failed(Cause::TimedOut));
        }
        // From here on the session sees to the end. To end a transaction twice is an error, which
        // older kernels do not survive (a BUG_ON in xenbus_dev_frontend.c).
        self.ended = true;
        let message = Message::transaction_end(true);
        self.client.exchange(self.number, &message, self.deadline).map(drop).map_err(failed)
    }

    /// Asks everything at once, as `Client::call_all`.
    pub fn call_all(&mut self, requests: &[Request]) -> Vec<Result<Answer>> {
        self.client.call_all_in(self.number, requests, self.deadline)
    }

    /// One request.
    pub fn call(&mut self, request: &Request) -> Result<Answer> {
        self.client.call_in(self.number, request, self.deadline)
    }

    /// The value of a node.
    pub fn read(&mut self, path: impl Into<Text>) -> Result<Text> {
        let request = Request::Read(path.into());
        self.call(&request)?.value().ok_or_else(|| request.answered_otherwise())
    }

    /// Sets the value of a node, makes it where it is missing.
    pub fn write(&mut self, path: impl Into<Text>, value: impl Into<Text>) -> Result<()> {
        self.call(&Request::Write(path.into(), value.into())).map(drop)
    }

    /// Removes a node and all below it.
    pub fn rm(&mut self, path: impl Into<Text>) -> Result<()> {
        self.call(&Request::Rm(path.into())).map(drop)
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.client.give_up_transaction(self.number);
        }
    }
}
