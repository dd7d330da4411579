//! A server that stops answering, and one that dies.

use std::time::{Duration, Instant};

use xvdguard_linux::xenstore::{Client, Error, Request, Result};

use crate::setup::{after, connect, far, store};

/// Calls with a short deadline and makes sure that it is kept.
fn on_time<T>(call: impl FnOnce(Instant) -> T) -> T {
    let deadline = after(60);
    let result = call(deadline);
    let late = Instant::now().saturating_duration_since(deadline);
    assert!(Instant::now() >= deadline, "it gave up early");
    assert!(late < Duration::from_secs(5), "it came {late:?} after its deadline");
    result
}

type Call = (&'static str, fn(&mut Client, Instant) -> Result<()>);

const EVERY_CALL: [Call; 10] = [
    ("read", |client, deadline| client.read("/data/a", deadline).map(drop)),
    ("directory", |client, deadline| client.directory("/data", deadline).map(drop)),
    ("get_perms", |client, deadline| client.get_perms("/data/a", deadline).map(drop)),
    ("write", |client, deadline| client.write("/data/b", "1", deadline)),
    ("mkdir", |client, deadline| client.mkdir("/data/c", deadline)),
    ("rm", |client, deadline| client.rm("/data/d", deadline)),
    ("watch", |client, deadline| client.watch("/data", "token", deadline)),
    ("unwatch", |client, deadline| client.unwatch("/data", "other", deadline)),
    ("transaction", |client, deadline| client.transaction(deadline, |tx| tx.write("/data/e", "1"))),
    ("call_all", |client, deadline| {
        let requests = vec![Request::read("/data/a"); 500];
        client.call_all(&requests, deadline).into_iter().try_for_each(|result| result.map(drop))
    }),
];

#[test]
fn every_call_to_a_frozen_server_returns_at_its_deadline() {
    let Some(store) = store() else { return };
    store.write("/data/a", "1").unwrap();
    let mut client = connect(&store);
    store.freeze().unwrap();
    for (name, call) in EVERY_CALL {
        let error = on_time(|deadline| call(&mut client, deadline)).unwrap_err();
        assert!(error.is_timeout(), "{name}: {error}");
    }
    assert_eq!(on_time(|deadline| client.next_event(deadline)).unwrap(), None);
    // The kernel accepts connections for a frozen server.
    let mut second = Client::connect_to(store.socket(), far()).unwrap();
    assert!(on_time(|deadline| second.read("/data/a", deadline)).unwrap_err().is_timeout());

    store.thaw().unwrap();
    assert_eq!(client.read("/data/a", far()).unwrap(), "1");
    assert_eq!(second.read("/data/a", far()).unwrap(), "1");
    for (name, call) in EVERY_CALL.iter().filter(|(name, _)| !["rm", "unwatch"].contains(name)) {
        assert_eq!(call(&mut client, far()), Ok(()), "{name}");
    }
    assert_eq!(store.read("/data/e").as_deref(), Some("1"));
    assert!(client.next_event(far()).unwrap().is_some());
}

#[test]
fn a_call_in_flight_when_the_server_dies_ends_with_an_error() {
    let Some(mut store) = store() else { return };
    let mut client = connect(&store);
    store.freeze().unwrap();
    let waiting = std::thread::spawn(move || {
        let error = client.read("/data/a", far()).unwrap_err();
        (client, error)
    });
    store.kill();
    let (mut client, error) = waiting.join().unwrap();
    assert!(error.is_closed(), "{error}");
    for (name, call) in EVERY_CALL {
        let error = call(&mut client, far()).unwrap_err();
        assert!(error.is_closed(), "{name}: {error}");
    }
    let closed = |result: Result<_>| result.err().is_some_and(|error: Error| error.is_closed());
    assert!(closed(client.next_event(far())));
    assert!(Client::connect_to(store.socket(), far()).is_err());
}

#[test]
fn late_transactions_do_not_stay_at_the_server() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    store.freeze().unwrap();
    for _ in 0..20 {
        let result = client.transaction(after(5), |tx| tx.write("/data/late", "1"));
        assert!(result.unwrap_err().is_timeout());
    }
    store.thaw().unwrap();
    client.write("/data/a", "1", far()).unwrap();
    client.transaction(far(), |tx| tx.write("/data/a", "2")).unwrap();
    assert_eq!(store.read("/data/a").as_deref(), Some("2"));
    assert_eq!(store.read("/data/late"), None);
}
