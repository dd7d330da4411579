//! A store of its own for each test, a client, and deadlines.

use std::time::{Duration, Instant};

use harness::requires;
use harness::xenstored::Xenstored;
use xvdguard_linux::xenstore::Client;

/// An empty store; `None` where the test has to be skipped.
#[track_caller]
pub fn store() -> Option<Xenstored> {
    requires::xenstored()?;
    Some(Xenstored::start().unwrap())
}

/// A client of the store.
pub fn connect(store: &Xenstored) -> Client {
    Client::connect_to(store.socket(), far()).unwrap()
}

/// A deadline that no passing test reaches.
pub fn far() -> Instant {
    after(30_000)
}

/// A deadline so many milliseconds from now.
pub fn after(ms: u64) -> Instant {
    Instant::now() + Duration::from_millis(ms)
}
