//! Several sessions side by side: on the kernel's device an open file carries one request at a
//! time.
//!
//! Only what reads and has no order is spread over the lanes. The first lane has everything else:
//! watches, transactions and changes belong to the file that they were made with.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use super::connect::{self, Link};
use super::error::Cause;
use super::exchange::Exchange;
use super::session::{self, Reply};
use super::wire::Message;

/// A guest may have 20 requests unanswered before xenstored lets it wait, and the kernel's own
/// drivers need some of them (quota-req-outstanding, Xen's docs/misc/xenstore.txt).
const LANES: usize = 8;

/// The sessions of one client.
#[derive(Debug)]
pub struct Lanes {
    exchanges: Vec<Exchange>,
    next: usize,
}

/// A request on one of them.
#[derive(Debug, Clone, Copy)]
pub struct Ticket {
    lane: usize,
    ticket: session::Ticket,
}

impl Lanes {
    /// One lane for a socket, which takes any number of requests; up to eight for the device.
    pub fn new(first: Link) -> Lanes {
        let more = (1..LANES).map_while(|_| first.another()).collect::<Vec<Link>>();
        Lanes::of(std::iter::once(first).chain(more))
    }

    /// One lane for each connection.
    pub fn of(links: impl Iterator<Item = Link>) -> Lanes {
        Lanes { exchanges: links.map(Exchange::new).collect(), next: 0 }
    }

    /// The lane of watches, transactions and changes.
    pub fn first(&mut self) -> &mut Exchange {
        // `new` makes one lane at least.
        &mut self.exchanges[0]
    }

    /// Queues a request; `run` sends it. Where `anywhere` holds, its order among others is free.
    pub fn ask(&mut self, transaction: u32, message: &Message, anywhere: bool) -> Ticket {
        let lane = if anywhere { self.next % self.exchanges.len() } else { 0 };
        self.next = self.next.wrapping_add(1);
        Ticket { lane, ticket: self.exchanges[lane].ask(transaction, message) }
    }

    /// Sends what is queued and receives, until every request has its reply, or the deadline, or
    /// the end of the connections.
    pub fn run(&mut self, deadline: Instant) {
        loop {
            self.exchanges.iter_mut().for_each(|exchange| exchange.step(deadline));
            if !self.exchanges.iter().any(Exchange::is_waiting) {
                return;
            }
            if Instant::now() >= deadline {
                // Where write(2) itself waited for the server, the reply is here by now.
                return self.exchanges.iter_mut().for_each(Exchange::receive);
            }
            connect::wait(self.exchanges.iter().filter(|one| one.is_waiting()), deadline);
        }
    }

    /// The reply to a request, after `run`. Where there is none, it will not be waited for again.
    pub fn take(&mut self, ticket: Ticket) -> Result<Reply, Cause> {
        self.exchanges[ticket.lane].take(ticket.ticket)
    }

    /// Whether an event was received that nobody has taken.
    pub fn has_event(&self) -> bool {
        self.exchanges.iter().any(Exchange::has_event)
    }

    /// Why nothing can be asked any more.
    pub fn closed(&self) -> Option<Cause> {
        self.exchanges.iter().find_map(Exchange::closed)
    }
}

/// The first lane's: the one that events come on.
impl AsFd for Lanes {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exchanges[0].as_fd()
    }
}
