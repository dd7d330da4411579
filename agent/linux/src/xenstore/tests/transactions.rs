//! Transactions: redone, given up, never left behind.

use std::time::Instant;

use super::{Asked, Server, after, far};
use crate::xenstore::wire::Kind;
use crate::xenstore::{Cause, Error, Result};

/// Starts transactions 1, 2, 3, ..., says OK to everything else and gives `commit` to every
/// commit; what was asked, as `letter+transaction`, until the client has gone.
fn serve(server: &mut Server, commit: &str) -> Vec<String> {
    let mut log = Vec::new();
    let mut started = 0;
    while let Some(asked) = server.asked() {
        log.push(format!("{}{}", letter(&asked), asked.transaction));
        match letter(&asked) {
            'S' => {
                started += 1;
                server.done(&asked, format!("{started}\0").as_bytes());
            }
            'T' if commit != "OK" => server.refuse(&asked, commit),
            _ => server.done(&asked, b"OK\0"),
        }
    }
    log
}

fn letter(asked: &Asked) -> char {
    match asked.kind {
        Kind::TransactionStart => 'S',
        Kind::TransactionEnd => char::from(asked.payload[0]),
        Kind::Write => 'w',
        _ => '?',
    }
}

fn failure() -> Error {
    Error::new("decide", "a", Cause::Limit("because".to_owned()))
}

#[test]
fn a_transaction_is_started_worked_on_and_committed() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| serve(server, "OK"));
    let value = client.transaction(far(), |tx| tx.write("data/a", "1").map(|()| 42));
    assert_eq!(value, Ok(42));
    drop(client);
    assert_eq!(player.join().unwrap(), ["S0", "w1", "T1"]);
}

#[test]
fn a_conflict_is_redone_five_times_and_never_ended_twice() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| serve(server, "EAGAIN"));
    let mut calls = 0;
    let result: Result<()> = client.transaction(far(), |_| {
        calls += 1;
        Ok(())
    });
    assert!(matches!(result, Err(error) if error.is_conflict()));
    assert_eq!(calls, 5);
    drop(client);
    let expected = "S0 T1 S0 T2 S0 T3 S0 T4 S0 T5";
    assert_eq!(player.join().unwrap().join(" "), expected);
}

#[test]
fn work_that_fails_changes_nothing() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| serve(server, "OK"));
    let result: Result<()> = client.transaction(far(), |tx| {
        tx.write("data/a", "1")?;
        Err(failure())
    });
    assert_eq!(result, Err(failure()));
    drop(client);
    assert_eq!(player.join().unwrap(), ["S0", "w1", "F1"]);
}

#[test]
fn work_that_outlasts_the_deadline_is_not_committed() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| serve(server, "OK"));
    let deadline = after(500);
    let result = client.transaction(deadline, |_| {
        std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
        Ok(())
    });
    assert!(matches!(result, Err(error) if error.is_timeout()));
    drop(client);
    assert_eq!(player.join().unwrap(), ["S0", "F1"]);
}

#[test]
fn a_start_that_is_answered_too_late_is_ended_with_the_next_call() {
    let (mut client, mut server) = Server::new();
    let result: Result<()> = client.transaction(after(20), |_| Ok(()));
    assert!(matches!(result, Err(error) if error.is_timeout()));
    let start = server.next();
    server.done(&start, b"7\0");
    let player = server.play(|server| serve(server, "OK"));
    client.write("data/a", "1", far()).unwrap();
    client.write("data/a", "2", far()).unwrap();
    drop(client);
    let mut log = player.join().unwrap();
    log.sort();
    assert_eq!(log, ["F7", "w0", "w0"]);
}
