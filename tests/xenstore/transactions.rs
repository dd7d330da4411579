//! Transactions, alone and against another client.

use std::path::Path;
use std::thread;

use xvdguard_linux::xenstore::{Client, Request, Result};

use crate::setup::{connect, far, store};

const COUNTER: &str = "/data/counter";

#[test]
fn all_changes_appear_together() {
    let Some(store) = store() else { return };
    store.write("/data/old", "1").unwrap();
    let mut client = connect(&store);
    let mut other = connect(&store);
    let seen_before = client.transaction(far(), |tx| {
        tx.write("/data/new", "1")?;
        tx.rm("/data/old")?;
        assert_eq!(tx.read("/data/new").unwrap(), "1");
        let outside = [Request::read("/data/new"), Request::read("/data/old")];
        Ok(other.call_all(&outside, far()).iter().map(Result::is_ok).collect::<Vec<_>>())
    });
    assert_eq!(seen_before.unwrap(), [false, true]);
    assert_eq!(store.read("/data/new").as_deref(), Some("1"));
    assert_eq!(store.read("/data/old"), None);
}

#[test]
fn work_that_fails_leaves_everything_as_it_was() {
    let Some(store) = store() else { return };
    let mut client = connect(&store);
    let result: Result<()> = client.transaction(far(), |tx| {
        tx.write("/data/a", "1")?;
        tx.read("/data/missing").map(drop)
    });
    assert!(result.unwrap_err().is_missing());
    client.write("/data/b", "1", far()).unwrap();
    assert_eq!(store.read("/data/a"), None);
    assert_eq!(store.read("/data/b").as_deref(), Some("1"));
}

#[test]
fn a_conflict_is_redone_with_what_the_other_wrote() {
    let Some(store) = store() else { return };
    store.write(COUNTER, "1").unwrap();
    let mut attempts = 0;
    let result = connect(&store).transaction(far(), |tx| {
        attempts += 1;
        let value = tx.read(COUNTER)?.number().unwrap();
        if attempts == 1 {
            store.write(COUNTER, "10").unwrap();
        }
        tx.write(COUNTER, (value + 1).to_string())
    });
    result.unwrap();
    assert_eq!(attempts, 2);
    assert_eq!(store.read(COUNTER).as_deref(), Some("11"));
}

#[test]
fn endless_conflicts_are_given_up() {
    let Some(store) = store() else { return };
    let mut attempts = 0;
    let result = connect(&store).transaction(far(), |tx| {
        attempts += 1;
        let _missing_at_first = tx.read(COUNTER);
        store.write(COUNTER, &format!("theirs {attempts}")).unwrap();
        tx.write(COUNTER, "ours")
    });
    assert_eq!(result.unwrap_err().to_string(), "cannot commit a transaction in xenstore: EAGAIN");
    assert_eq!(attempts, 5);
    assert_eq!(store.read(COUNTER).as_deref(), Some("theirs 5"));
}

#[test]
fn two_clients_that_count_together_lose_nothing() {
    let Some(store) = store() else { return };
    store.write(COUNTER, "0").unwrap();
    let count = |socket: &Path| {
        let mut client = Client::connect_to(socket, far()).unwrap();
        for _ in 0..25 {
            while let Err(error) = client.transaction(far(), |tx| {
                let value = tx.read(COUNTER)?.number().unwrap();
                tx.write(COUNTER, (value + 1).to_string())
            }) {
                assert!(error.is_conflict(), "{error}");
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| count(store.socket()));
        scope.spawn(|| count(store.socket()));
    });
    assert_eq!(store.read(COUNTER).as_deref(), Some("50"));
}
