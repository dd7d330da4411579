//! Where xenstore is read from: a server, or a listing that somebody saved.

use std::time::Instant;

use super::client::Client;
use super::error::Result;
use super::listing::Listing;
use super::request::{Answer, Request};

/// A xenstore to look at.
#[derive(Debug)]
pub enum Source {
    /// A running xenstored.
    Live(Client),
    /// A saved listing. Answers at once.
    Listing(Listing),
}

impl Source {
    /// Asks everything at once. The results stand in the order of the requests.
    pub fn fetch(&mut self, requests: &[Request], deadline: Instant) -> Vec<Result<Answer>> {
        match self {
            Source::Live(client) => client.call_all(requests, deadline),
            Source::Listing(listing) => {
                requests.iter().map(|request| listing.answer(request)).collect()
            }
        }
    }
}
