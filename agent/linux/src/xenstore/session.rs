//! One connection as a value: requests in, bytes out; bytes in, replies and events out.
//!
//! No I/O, no clock. Replies find their requests in any order, events may stand anywhere between
//! them. Nothing that a server sends makes it panic, loop or hold more than the protocol
//! allows: it is an answer, dropped, or the end of the session with a reason.
//! Tests: `tests/session.rs` and `tests/mutations.rs` beside this file.

use std::collections::{BTreeMap, VecDeque};

use xvdguard_logic::text::Text;

use super::inbox::Inbox;
use super::wire::{Kind, Message, NO_TRANSACTION};

/// The ids of a session's requests begin here; events have nought.
const FIRST_ID: u32 = 1;
/// Sent and not answered at any time on a socket. The server keeps every request until it is
/// answered: one that hangs for days must not fill memory.
pub const SOCKET_WINDOW: usize = 1024;
/// The same on Linux's device: it keeps a request's payload in the one buffer of the open file
/// until its own thread has sent it (xenbus_dev_request_and_reply, drivers/xen/xenbus/xenbus_xs.c,
/// 4.11+), so a second write(2) before the reply would change what the first one asked.
pub const DEVICE_WINDOW: usize = 1;
/// Events kept until somebody takes them.
pub const MAX_EVENTS: usize = 64;

/// A connection's state.
#[derive(Debug)]
pub struct Session {
    window: usize,
    next_id: u32,
    outgoing: VecDeque<Outgoing>,
    waiting: BTreeMap<u32, Waiting>,
    replies: BTreeMap<u32, Reply>,
    inbox: Inbox,
    events: VecDeque<Event>,
    broken: Option<String>,
}

/// A request of this session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(u32);

/// What came back for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It was done; the payload.
    Done(Vec<u8>),
    /// It was refused; the name of the errno.
    Refused(Text),
}

/// Something changed at or below a watched path. Spurious ones are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What changed; relative where the watch is relative.
    pub path: Text,
    /// The name of the watch.
    pub token: Text,
}

/// Not sent yet, or only in part.
#[derive(Debug)]
struct Outgoing {
    id: u32,
    kind: Kind,
    transaction: u32,
    bytes: Vec<u8>,
    sent: usize,
    wanted: bool,
}

/// Sent, not answered.
#[derive(Debug)]
struct Waiting {
    kind: Kind,
    wanted: bool,
}

impl Session {
    /// A fresh session with so many requests unanswered at most.
    pub fn new(window: usize) -> Self {
        Session {
            window,
            next_id: FIRST_ID,
            outgoing: VecDeque::new(),
            waiting: BTreeMap::new(),
            replies: BTreeMap::new(),
            inbox: Inbox::default(),
            events: VecDeque::new(),
            broken: None,
        }
    }

    /// Queues a request.
    pub fn ask(&mut self, transaction: u32, message: &Message) -> Ticket {
        if self.window == DEVICE_WINDOW && matches!(message.kind(), Kind::Watch | Kind::Unwatch) {
            self.knock();
        }
        self.queue(transaction, message, true)
    }

    /// For a watch the kernel waits inside write(2) until the server answers, for ever and beyond
    /// any signal. So the watch stands behind a request that is waited for outside: it is not
    /// written while the server hangs.
    fn knock(&mut self) {
        let has_knocked = |last: &Outgoing| last.kind == Kind::Read && !last.wanted;
        if !self.outgoing.back().is_some_and(has_knocked) {
            self.queue(NO_TRANSACTION, &Message::knock(), false);
        }
    }

    fn queue(&mut self, transaction: u32, message: &Message, wanted: bool) -> Ticket {
        let id = self.next_id;
        self.next_id = id.checked_add(1).unwrap_or(FIRST_ID);
        let bytes = message.to_bytes(id, transaction);
        let kind = message.kind();
        self.outgoing.push_back(Outgoing { id, kind, transaction, bytes, sent: 0, wanted });
        Ticket(id)
    }

    /// The rest of the oldest message: never more than one, since Linux ignores what follows a
    /// message in the same write(2). Empty where there is nothing to send, or too much unanswered.
    pub fn unsent(&self) -> &[u8] {
        let open = self.broken.is_none();
        let room = self.waiting.len() < self.window;
        match self.outgoing.front() {
            Some(front) if open && (room || front.sent > 0) => &front.bytes[front.sent..],
            _ => &[],
        }
    }

    /// So many of the bytes of `unsent` are on their way.
    pub fn sent(&mut self, count: usize) {
        let Some(front) = self.outgoing.front_mut() else { return };
        front.sent = front.bytes.len().min(front.sent + count);
        if front.sent == front.bytes.len() {
            self.waiting.insert(front.id, Waiting { kind: front.kind, wanted: front.wanted });
            self.outgoing.pop_front();
        }
    }

    /// The message of `unsent` was refused instead of taken: this is its reply.
    pub fn refused(&mut self, name: Text) {
        let Some(front) = self.outgoing.pop_front() else { return };
        if front.sent > 0 {
            self.fail(format!("half a message was sent, then {name}"));
        } else if front.wanted {
            self.replies.insert(front.id, Reply::Refused(name));
        }
    }

    /// Takes what the server sent, in any pieces.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while self.broken.is_none() {
            match self.inbox.receive(&mut bytes) {
                Ok(None) => return,
                Ok(Some((header, payload))) => match Kind::from_number(header.kind) {
                    Some(Kind::WatchEvent) => self.event(&payload),
                    Some(kind) => self.reply(kind, header.id, payload),
                    None => self.fail(format!("a message of the unknown type {}", header.kind)),
                },
                Err(why) => self.fail(why),
            }
        }
    }

    /// The reply to a request, once.
    pub fn take(&mut self, ticket: Ticket) -> Option<Reply> {
        self.replies.remove(&ticket.0)
    }

    /// Nobody waits for this request any more. What was not sent never will be, the reply to what
    /// was sent will be dropped; but a transaction is ended either way.
    pub fn abandon(&mut self, ticket: Ticket) {
        self.replies.remove(&ticket.0);
        if let Some(waiting) = self.waiting.get_mut(&ticket.0) {
            waiting.wanted = false;
        }
        let Some(at) = self.outgoing.iter().position(|out| out.id == ticket.0) else { return };
        let out = &mut self.outgoing[at];
        out.wanted = false;
        match (out.sent, out.kind) {
            (0, Kind::TransactionEnd) => {
                out.bytes = Message::transaction_end(false).to_bytes(out.id, out.transaction);
            }
            (0, _) => drop(self.outgoing.remove(at)),
            _ => {}
        }
    }

    /// Ends a transaction without effect; nobody waits for the reply.
    pub fn give_up_transaction(&mut self, transaction: u32) {
        self.queue(transaction, &Message::transaction_end(false), false);
    }

    /// Whether a reply that somebody waits for can still come.
    pub fn is_waiting(&self) -> bool {
        self.broken.is_none()
            && (self.outgoing.iter().any(|out| out.wanted)
                || self.waiting.values().any(|waiting| waiting.wanted))
    }

    /// The oldest event.
    pub fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether there is one.
    pub fn has_event(&self) -> bool {
        !self.events.is_empty()
    }

    /// Why the session has ended.
    pub fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Ends the session. The first reason stays; replies and events that are here can be taken.
    pub fn fail(&mut self, why: impl Into<String>) {
        self.broken.get_or_insert(why.into());
        self.inbox = Inbox::default();
        self.outgoing.clear();
        self.waiting.clear();
    }

    /// The bytes that are held for what was received.
    #[cfg(test)]
    pub fn held(&self) -> usize {
        let replies = self.replies.values().map(|reply| match reply {
            Reply::Done(payload) => payload.capacity(),
            Reply::Refused(name) => name.as_bytes().len(),
        });
        let events = self
            .events
            .iter()
            .map(|event| event.path.as_bytes().len() + event.token.as_bytes().len());
        self.inbox.held() + replies.sum::<usize>() + events.sum::<usize>()
    }

    fn event(&mut self, payload: &[u8]) {
        let mut words = payload.split(|byte| *byte == 0);
        let (Some(path), Some(token), Some(_)) = (words.next(), words.next(), words.next()) else {
            return self.fail("a watch event without path and token");
        };
        let event = Event { path: path.into(), token: token.into() };
        // An event is only a reason to look: a second one like it, or a 65th, adds nothing.
        if self.events.len() < MAX_EVENTS && !self.events.contains(&event) {
            self.events.push_back(event);
        }
    }

    fn reply(&mut self, kind: Kind, id: u32, payload: Vec<u8>) {
        let id = self.meant(id);
        let Some(asked) = self.waiting.remove(&id) else { return };
        match (understand(kind, asked.kind, payload), asked.wanted) {
            (Err(why), _) => self.fail(why),
            (Ok(reply), true) => drop(self.replies.insert(id, reply)),
            (Ok(reply), false) => self.too_late(asked.kind, &reply),
        }
    }

    /// The request that a reply belongs to: on a socket the one of its id, on the device the only
    /// one. Linux hands back another id there: nought for watches, up to 4.10, and from 4.11 to
    /// 4.15 one of its own for everything.
    fn meant(&self, id: u32) -> u32 {
        let only = self.waiting.keys().next().filter(|_| self.window == DEVICE_WINDOW);
        only.copied().unwrap_or(id)
    }

    /// A reply that nobody waits for. If a transaction began with it, nobody would end it.
    fn too_late(&mut self, asked: Kind, reply: &Reply) {
        let started = match reply {
            Reply::Done(payload) if asked == Kind::TransactionStart => transaction_number(payload),
            _ => None,
        };
        if let Some(transaction) = started {
            self.give_up_transaction(transaction);
        }
    }
}

/// What a reply says, or why it cannot be one to what was asked.
fn understand(kind: Kind, asked: Kind, payload: Vec<u8>) -> Result<Reply, String> {
    if kind == Kind::Error {
        let name = errno_name(&payload).ok_or("an error without the name of an errno")?;
        return Ok(Reply::Refused(name));
    }
    if kind != asked {
        return Err(format!("a reply of type {kind:?} to a request of type {asked:?}"));
    }
    if asked == Kind::TransactionStart && transaction_number(&payload).is_none() {
        return Err("a transaction without a number".to_owned());
    }
    Ok(Reply::Done(payload))
}

/// The number of a transaction that was started.
pub fn transaction_number(payload: &[u8]) -> Option<u32> {
    let digits = payload.strip_suffix(b"\0").unwrap_or(payload);
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    (number != NO_TRANSACTION).then_some(number)
}

fn errno_name(payload: &[u8]) -> Option<Text> {
    let name = payload.strip_suffix(b"\0").unwrap_or(payload);
    let plausible = name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (!name.is_empty() && name.len() <= 32 && plausible).then(|| Text::from(name))
}
