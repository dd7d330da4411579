//! The session alone: bytes in, bytes out.

use xvdguard_logic::text::Text;

use super::frame;
use crate::xenstore::session::{
    DEVICE_WINDOW, Event, MAX_EVENTS, Reply, SOCKET_WINDOW, Session, Ticket,
};
use crate::xenstore::wire::{Header, Kind, Message};

fn message(kind: Kind) -> Message {
    match kind {
        Kind::TransactionStart => Message::transaction_start(),
        Kind::TransactionEnd => Message::transaction_end(true),
        Kind::Watch | Kind::Unwatch => Message::new(kind, &[b"path", b"token"], b"").unwrap(),
        _ => Message::new(kind, &[b"path"], b"").unwrap(),
    }
}

fn event(path: &str, token: &str) -> Event {
    Event { path: Text::from(path), token: Text::from(token) }
}

/// Sends one message whole and says what it was.
fn send(session: &mut Session) -> (Header, Vec<u8>) {
    let bytes = session.unsent().to_vec();
    session.sent(bytes.len());
    (Header::from_bytes(&bytes).unwrap(), bytes[16..].to_vec())
}

/// Asks and sends; the id that the server sees.
fn asked(session: &mut Session, kind: Kind) -> (Ticket, u32) {
    let ticket = session.ask(0, &message(kind));
    (ticket, send(session).0.id)
}

fn done(payload: &[u8]) -> Option<Reply> {
    Some(Reply::Done(payload.to_vec()))
}

#[test]
fn the_first_event_may_come_before_and_after_the_reply() {
    for event_first in [true, false] {
        let mut session = Session::new(SOCKET_WINDOW);
        let (ticket, id) = asked(&mut session, Kind::Watch);
        let mut frames =
            [frame(Kind::WatchEvent, 0, b"device/vbd\0token\0"), frame(Kind::Watch, id, b"OK\0")];
        if !event_first {
            frames.reverse();
        }
        session.receive(&frames.concat());
        assert_eq!(session.take(ticket), done(b"OK\0"));
        assert!(session.has_event());
        assert_eq!(session.next_event(), Some(event("device/vbd", "token")));
        assert!(!session.has_event());
        assert_eq!((session.take(ticket), session.next_event()), (None, None));
    }
}

#[test]
fn the_device_has_one_request_at_a_time_and_its_reply_any_id() {
    let mut session = Session::new(DEVICE_WINDOW);
    for (kind, strange_id) in [(Kind::Rm, 0), (Kind::Read, 7), (Kind::Read, u32::MAX)] {
        let (ticket, _) = asked(&mut session, kind);
        session.ask(0, &message(Kind::Mkdir));
        assert_eq!(session.unsent(), b"");
        session.receive(&frame(kind, strange_id, b"OK\0"));
        assert_eq!(session.take(ticket), done(b"OK\0"));
        send(&mut session);
        session.receive(&frame(Kind::Error, strange_id, b"EACCES\0"));
    }
    session.receive(&frame(Kind::Read, 7, b"to nobody"));
    assert_eq!((session.unsent(), session.broken()), (&b""[..], None));
}

#[test]
fn a_watch_is_written_to_the_device_only_when_the_server_answers() {
    let mut session = Session::new(DEVICE_WINDOW);
    for _ in 0..3 {
        let ticket = session.ask(0, &message(Kind::Watch));
        session.abandon(ticket);
    }
    let watch = session.ask(0, &message(Kind::Watch));
    let (knock, payload) = send(&mut session);
    assert_eq!((knock.kind, &payload[..], session.unsent()), (2, &b"domid\0"[..], &b""[..]));
    session.receive(&frame(Kind::Read, knock.id, b"1"));
    let (header, _) = send(&mut session);
    assert_eq!((header.kind, session.unsent()), (4, &b""[..]));
    session.receive(&frame(Kind::Watch, 0, b"OK\0"));
    assert_eq!(session.take(watch), done(b"OK\0"));
}

#[test]
fn on_a_socket_only_the_id_counts() {
    let mut session = Session::new(SOCKET_WINDOW);
    let (ticket, id) = asked(&mut session, Kind::Watch);
    for strange_id in [0, id + 1] {
        session.receive(&frame(Kind::Watch, strange_id, b"OK\0"));
        assert_eq!(session.take(ticket), None);
    }
    assert!(session.is_waiting());
}

#[test]
fn an_event_of_a_kernel_may_carry_more_words_and_any_id() {
    let mut session = Session::new(SOCKET_WINDOW);
    session.receive(&frame(Kind::WatchEvent, 0xdead_beef, b"a\0b\0more\0"));
    assert_eq!(session.next_event(), Some(event("a", "b")));
}

#[test]
fn events_are_kept_once_each_and_not_without_end() {
    let mut session = Session::new(SOCKET_WINDOW);
    for number in 0..2 * MAX_EVENTS {
        let payload = format!("path/{number}\0token\0");
        for _ in 0..2 {
            session.receive(&frame(Kind::WatchEvent, 0, payload.as_bytes()));
        }
    }
    let events: Vec<_> = std::iter::from_fn(|| session.next_event()).collect();
    assert_eq!(events.len(), MAX_EVENTS);
    assert_eq!(events[1], event("path/1", "token"));
}

#[test]
fn messages_are_handed_out_one_at_a_time() {
    let mut session = Session::new(SOCKET_WINDOW);
    session.ask(0, &message(Kind::Read));
    session.ask(0, &message(Kind::Mkdir));
    assert_eq!(Header::from_bytes(session.unsent()).unwrap().kind, 2);
    session.sent(20);
    assert_eq!(session.unsent(), b"\0");
    session.sent(1);
    assert_eq!(Header::from_bytes(session.unsent()).unwrap().kind, 12);
    send(&mut session);
    assert_eq!(session.unsent(), b"");
}

#[test]
fn a_server_that_never_answers_gets_no_more_than_a_window() {
    let mut session = Session::new(SOCKET_WINDOW);
    let tickets: Vec<_> = (0..SOCKET_WINDOW).map(|_| asked(&mut session, Kind::Read)).collect();
    let more = session.ask(0, &message(Kind::Read));
    assert_eq!(session.unsent(), b"");
    for (ticket, _) in &tickets {
        session.abandon(*ticket);
    }
    assert_eq!(session.unsent(), b"");
    session.receive(&frame(Kind::Read, tickets[5].1, b"late"));
    let (header, _) = send(&mut session);
    session.receive(&frame(Kind::Read, header.id, b"value"));
    assert_eq!(session.take(more), done(b"value"));
}

#[test]
fn a_message_that_the_kernel_refuses_has_its_reply() {
    let mut session = Session::new(SOCKET_WINDOW);
    let watch = session.ask(0, &message(Kind::Watch));
    let read = session.ask(0, &message(Kind::Read));
    session.refused(Text::from("ENOSPC"));
    assert_eq!(session.take(watch), Some(Reply::Refused(Text::from("ENOSPC"))));
    session.sent(3);
    session.refused(Text::from("EIO"));
    assert_eq!(session.broken(), Some("half a message was sent, then EIO"));
    assert_eq!(session.take(read), None);
}

#[test]
fn what_was_not_begun_is_withdrawn_and_what_was_begun_is_finished() {
    let mut session = Session::new(SOCKET_WINDOW);
    let tickets = [Kind::Read, Kind::Mkdir, Kind::Rm].map(|kind| session.ask(0, &message(kind)));
    session.sent(4);
    for ticket in tickets {
        session.abandon(ticket);
    }
    assert!(!session.is_waiting());
    session.sent(17);
    assert_eq!(session.unsent(), b"");
}

#[test]
fn a_transaction_that_begins_too_late_is_ended() {
    let mut session = Session::new(SOCKET_WINDOW);
    let (start, id) = asked(&mut session, Kind::TransactionStart);
    session.abandon(start);
    session.receive(&frame(Kind::TransactionStart, id, b"123\0"));
    let (header, payload) = send(&mut session);
    assert_eq!((header.kind, header.transaction, &payload[..]), (7, 123, &b"F\0"[..]));
    session.receive(&frame(Kind::TransactionEnd, header.id, b"OK\0"));
    assert_eq!((session.unsent(), session.broken()), (&b""[..], None));
}

#[test]
fn a_commit_that_was_not_sent_in_time_becomes_an_abort() {
    let mut session = Session::new(SOCKET_WINDOW);
    let commit = session.ask(77, &message(Kind::TransactionEnd));
    session.abandon(commit);
    let (header, payload) = send(&mut session);
    assert_eq!((header.kind, header.transaction, &payload[..]), (7, 77, &b"F\0"[..]));
    assert!(!session.is_waiting());
}

#[test]
fn replies_to_nobody_are_dropped() {
    let mut session = Session::new(SOCKET_WINDOW);
    let (late, id) = asked(&mut session, Kind::Read);
    session.abandon(late);
    session.receive(&frame(Kind::Read, id, b"late"));
    session.receive(&frame(Kind::Read, id, b"twice"));
    session.receive(&frame(Kind::Mkdir, 99, b"OK\0"));
    session.receive(&frame(Kind::Error, 98, b"ENOENT\0"));
    assert_eq!((session.take(late), session.broken()), (None, None));
}

#[test]
fn what_no_server_says_ends_the_session_with_a_reason() {
    type Bytes<'a> = &'a dyn Fn(u32) -> Vec<u8>;
    let cases: [(Bytes<'_>, &str); 6] = [
        (&|id| frame(Kind::Mkdir, id, b"OK\0"), "a reply of type Mkdir to a request of type Read"),
        (&|id| frame(Kind::Error, id, b"\0"), "an error without the name of an errno"),
        (&|id| frame(Kind::Error, id, b"no such\0"), "an error without the name of an errno"),
        (&|_| frame(Kind::WatchEvent, 0, b"path\0"), "a watch event without path and token"),
        (&|_| vec![0xff; 16], "a message of 4294967295 bytes, 4096 are allowed"),
        (&|_| vec![0; 16], "a message of the unknown type 0"),
    ];
    for (bytes, reason) in cases {
        let mut session = Session::new(SOCKET_WINDOW);
        let (ticket, id) = asked(&mut session, Kind::Read);
        session.receive(&bytes(id));
        assert_eq!(session.broken(), Some(reason));
        session.receive(&frame(Kind::Read, id, b"value"));
        assert_eq!((session.take(ticket), session.is_waiting()), (None, false));
    }
}
