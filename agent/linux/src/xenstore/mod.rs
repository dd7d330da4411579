//! Xenstore: the small tree that host and guests share, where every virtual disk is described.
//!
//! `Source` is what observation reads from: `Client` (a running xenstored, every call with a
//! deadline) or `Listing` (a saved one). Below the client: `exchange` moves bytes, `session` gives
//! them meaning without I/O, `wire` is their form. What is read stays `Text`: a host chose it.

mod budget;
mod client;
mod connect;
mod error;
mod exchange;
mod inbox;
mod lanes;
mod listing;
mod parts;
mod request;
mod session;
mod source;
#[cfg(test)]
mod tests;
mod transaction;
mod wire;

pub use budget::{MAX_NODES, MAX_WATCHES};
pub use client::Client;
pub use error::{Cause, Error, Result};
pub use listing::Listing;
pub use request::{Answer, Permission, Request};
pub use session::Event;
pub use source::Source;
pub use transaction::Transaction;
