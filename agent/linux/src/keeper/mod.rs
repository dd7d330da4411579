//! The keeper: a small process that owns the reboot ladder and outlives the daemon.
//!
//! Forked at start, while everything works. From then on it opens nothing, executes nothing and
//! allocates nothing, since with a dead root none of that can be relied on. It ends with the
//! daemon unless it was armed: then it carries on alone. `@` in its name keeps the shutdown of
//! systemd from killing it.
//! Tests: `tests/keeper/`, and beside the ladder.

mod hands;
pub mod ladder;
pub mod order;

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};
use rustix::process::Pid;

use crate::calls::fork::{self, Side};
use crate::calls::{memory, signals};
use crate::clock;
use crate::error::{Error, Result};
use crate::root::Root;
use hands::Opened;
use order::{BYTES, MOST_DEVICES, Order, Terms};

/// What it is called in ps(1).
pub const NAME: &[u8] = b"@xvdguard-keeper";
/// How often a silent device is asked when the daemon is gone.
const ASK_EVERY_MS: u64 = 1_000;
/// How long a device may take; longer is a stall, and nothing is done during one.
const ANSWER_MS: u64 = 5_000;

/// Room for the devices that go along with a message.
const RIGHTS_BYTES: usize = rustix::cmsg_space!(ScmRights(MOST_DEVICES));

/// The devices that it watches over: nothing is allocated for them.
type Devices = [Option<OwnedFd>; MOST_DEVICES];

/// The daemon's end of it.
#[derive(Debug)]
pub struct Keeper {
    socket: OwnedFd,
    pid: Pid,
    /// What it will have to do without.
    pub missing: Vec<String>,
}

impl Keeper {
    /// Forks it.
    pub fn start(root: &Root) -> Result<Keeper> {
        let failed = |errno| Error::system("start", "the keeper", errno);
        let (ours, its) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(failed)?;
        let mut missing = Vec::new();
        let opened = Opened::new(root, &mut missing);
        match fork::split().map_err(failed)? {
            Side::Parent(pid) => Ok(Keeper { socket: ours, pid, missing }),
            Side::Child => {
                fork::close(ours.as_raw_fd());
                live(&its, opened)
            }
        }
    }

    /// Its process.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Tells it something; with the devices where it shall watch over them alone.
    pub fn tell(&self, order: Order, devices: &[BorrowedFd<'_>]) -> Result<()> {
        let bytes = order.to_bytes();
        let mut space = [std::mem::MaybeUninit::uninit(); RIGHTS_BYTES];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !devices.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(devices)) {
            return Err(Error::system("order", "the keeper", Errno::TOOBIG));
        }
        let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
        sendmsg(&self.socket, &[IoSlice::new(&bytes)], &mut ancillary, flags)
            .map(drop)
            .map_err(|errno| Error::system("order", "the keeper", errno))
    }
}

impl AsFd for Keeper {
    /// Readable when the keeper is gone.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What it has been told last.
struct Life {
    opened: Opened,
    armed: Option<(Terms, Devices)>,
}

/// What comes out of a message.
enum Heard {
    Order(Order, Devices),
    Nothing,
    /// The daemon is gone.
    Gone,
}

/// Never returns.
fn live(socket: &OwnedFd, opened: Opened) -> ! {
    signals::block_all();
    close_all_but(socket, &opened);
    memory::rename_process(NAME);
    // Without it the keeper is as good as the page cache is.
    let _ = memory::lock_program();
    // Of all that was done until here nothing is to stay.
    memory::give_back();
    memory::touch_stack();
    let _ = memory::lock_what_is_used();
    let mut life = Life { opened, armed: None };
    loop {
        match hear(socket, None) {
            // One that comes without a device must not climb at once.
            Heard::Order(Order::Arm(terms), devices) => {
                life.armed = devices[0].is_some().then_some((terms, devices));
            }
            Heard::Order(Order::Climb(terms), _) => life.climb(&terms),
            Heard::Order(Order::Disarm, _) => life.armed = None,
            Heard::Order(Order::End, _) => fork::exit(0),
            Heard::Nothing => {}
            Heard::Gone => life.carry_on(),
        }
    }
}

impl Life {
    fn climb(&mut self, terms: &Terms) {
        self.opened.set_dead(terms.dead);
        ladder::climb(&mut self.opened, terms.orderly_ms);
    }

    /// Without the daemon: waits until all devices have answered for long enough, and reboots.
    fn carry_on(&mut self) -> ! {
        use ladder::Hands;
        let Some((terms, devices)) = self.armed.take() else { fork::exit(0) };
        self.opened.say(b"the daemon is gone; waiting for the storage of root alone");
        let mut answers_since_ms = None;
        loop {
            let now_ms = self.opened.now_ms();
            let answers = self.opened.answer(&devices, ANSWER_MS);
            answers_since_ms = if answers { answers_since_ms.or(Some(now_ms)) } else { None };
            let is_settled = answers_since_ms
                .is_some_and(|since_ms| now_ms.saturating_sub(since_ms) >= terms.settle_ms);
            if is_settled && now_ms >= terms.not_before_ms && !self.opened.is_held() {
                self.climb(&terms);
                fork::exit(1);
            }
            clock::pause(Duration::from_millis(ASK_EVERY_MS));
        }
    }
}

/// Waits for a message.
fn hear(socket: &OwnedFd, patience: Option<Duration>) -> Heard {
    let patience = patience.map(|time| Timespec {
        tv_sec: time.as_secs() as i64,
        tv_nsec: i64::from(time.subsec_nanos()),
    });
    let mut polled = [PollFd::new(socket, PollFlags::IN)];
    if !matches!(poll(&mut polled, patience.as_ref()), Ok(count) if count > 0) {
        return Heard::Nothing;
    }
    let mut bytes = [0; BYTES];
    let mut space = [std::mem::MaybeUninit::uninit(); RIGHTS_BYTES];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let into = &mut [IoSliceMut::new(&mut bytes)];
    match recvmsg(socket, into, &mut ancillary, RecvFlags::CMSG_CLOEXEC) {
        Ok(message) if message.bytes == 0 => Heard::Gone,
        Ok(message) => {
            let mut devices = Devices::default();
            for part in ancillary.drain() {
                if let RecvAncillaryMessage::ScmRights(files) = part {
                    devices.iter_mut().zip(files).for_each(|(place, file)| *place = Some(file));
                }
            }
            match Order::from_bytes(&bytes[..message.bytes]) {
                Some(order) => Heard::Order(order, devices),
                None => Heard::Nothing,
            }
        }
        Err(Errno::INTR | Errno::AGAIN) => Heard::Nothing,
        Err(_) => Heard::Gone,
    }
}

/// The files of the daemon are not its own: a socket of systemd's would keep a connection open.
fn close_all_but(socket: &OwnedFd, opened: &Opened) {
    let kept = opened.files();
    let all = crate::child::open_files();
    let foreign = all.into_iter().filter(|fd| *fd != socket.as_raw_fd() && !kept.contains(fd));
    foreign.for_each(fork::close);
}
