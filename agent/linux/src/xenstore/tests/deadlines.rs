//! Servers that hang, die, dawdle and answer in their own order.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{Server, after, far, frame};
use crate::xenstore::request::Answer;
use crate::xenstore::session::SOCKET_WINDOW;
use crate::xenstore::{Cause, Request, Result};

fn value(result: &Result<Answer>) -> Option<&[u8]> {
    match result {
        Ok(Answer::Value(value)) => Some(value.as_bytes()),
        _ => None,
    }
}

fn reads(count: usize) -> Vec<Request> {
    (0..count).map(|number| Request::read(format!("key/{number}"))).collect()
}

#[test]
fn a_call_to_a_hung_server_returns_at_its_deadline_and_a_late_reply_harms_nobody() {
    let (mut client, mut server) = Server::new();
    let started = Instant::now();
    let error = client.read("slow", after(50)).unwrap_err();
    assert!(error.is_timeout() && started.elapsed() >= Duration::from_millis(50), "{error}");
    let slow = server.next();
    let player = server.play(move |server| {
        let quick = server.next();
        server.done(&slow, b"too late");
        server.done(&quick, b"in time");
    });
    assert_eq!(client.read("quick", far()).unwrap(), "in time");
    player.join().unwrap();
}

#[test]
fn a_call_whose_deadline_is_over_sends_nothing() {
    let (mut client, mut server) = Server::new();
    assert!(client.write("data/a", "1", Instant::now()).unwrap_err().is_timeout());
    drop(client);
    assert!(server.asked().is_none());
}

#[test]
fn what_a_dying_server_still_said_counts() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let asked: Vec<_> = (0..3).map(|_| server.next()).collect();
        server.done(&asked[1], b"last words");
    });
    let results = client.call_all(&reads(3), far());
    assert_eq!(value(&results[1]), Some(&b"last words"[..]));
    for result in [&results[0], &results[2], &client.call(&Request::read("a"), far())] {
        assert!(matches!(result, Err(error) if error.is_closed()), "{result:?}");
    }
    assert!(client.next_event(far()).unwrap_err().is_closed());
    player.join().unwrap();
}

#[test]
fn replies_in_any_order_and_in_single_bytes_reach_their_requests() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let mut asked: Vec<_> = (0..20).map(|_| server.next()).collect();
        asked.reverse();
        for one in asked {
            for byte in frame(one.kind, one.id, &one.payload) {
                server.0.write_all(&[byte]).unwrap();
            }
        }
    });
    let results = client.call_all(&reads(20), far());
    for (number, result) in results.iter().enumerate() {
        assert_eq!(value(result), Some(format!("key/{number}\0").as_bytes()));
    }
    assert_eq!((client.round_trips(), client.requests()), (1, 20));
    player.join().unwrap();
}

#[test]
fn replies_are_read_while_requests_are_sent() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        while let Some(asked) = server.asked() {
            server.done(&asked, &[b'x'; 4096]);
        }
    });
    let requests = vec![Request::read("a".repeat(2000)); 3 * SOCKET_WINDOW];
    let results = client.call_all(&requests, far());
    assert!(results.iter().all(|result| value(result) == Some(&[b'x'; 4096])));
    assert_eq!(client.round_trips(), 1);
    drop(client);
    player.join().unwrap();
}

#[test]
fn what_a_full_pipe_did_not_take_is_never_sent() {
    let (mut client, server) = Server::new();
    let requests = vec![Request::read("a".repeat(2000)); SOCKET_WINDOW];
    let results = client.call_all(&requests, after(50));
    assert!(results.iter().all(|result| matches!(result, Err(error) if error.is_timeout())));
    let player = server.play(|server| {
        let mut late = 0;
        while let Some(asked) = server.asked() {
            server.done(&asked, &asked.payload);
            late += usize::from(asked.payload.len() > 1000);
        }
        late
    });
    assert_eq!(client.read("quick", far()).unwrap(), "quick\0");
    drop(client);
    let late = player.join().unwrap();
    assert!(0 < late && late < SOCKET_WINDOW, "{late} of {SOCKET_WINDOW} were sent");
}

#[test]
fn an_answer_that_makes_no_sense_fails_its_request_only() {
    let (mut client, server) = Server::new();
    let player = server.play(|server| {
        let (list, read) = (server.next(), server.next());
        server.done(&list, b"no closing nul");
        server.done(&read, b"1");
    });
    let results = client.call_all(&[Request::directory("a"), Request::read("b")], far());
    assert!(matches!(&results[0], Err(error) if matches!(error.cause(), Cause::Malformed(_))));
    assert_eq!(value(&results[1]), Some(&b"1"[..]));
    player.join().unwrap();
}

#[test]
fn waiting_for_an_event_ends_at_the_deadline_too() {
    let (mut client, server) = Server::new();
    assert_eq!(client.next_event(after(20)).unwrap(), None);
    assert_eq!(client.next_event(Instant::now()).unwrap(), None);
    drop(server);
    assert!(client.next_event(far()).unwrap_err().is_closed());
}
