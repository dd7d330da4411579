//! Answers requests as the faults of the moment say.
//!
//! What hangs is kept, not waited for, so the server never blocks: `control` and `counters` work
//! during any fault.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use fuser::{Errno, ReplyData, ReplyEmpty, ReplyWrite};
use harness::failure::Failure;
use harness::fault::{Answer, Fault};
use harness::faulty_storage::Counters;

use crate::memory::Memory;

/// Something asked of the disk, with the way to answer it.
#[derive(Debug)]
pub enum Request {
    Read { offset: u64, length: u64, reply: ReplyData },
    Write { offset: u64, bytes: Vec<u8>, reply: ReplyWrite },
    Clear { offset: u64, length: u64, reply: ReplyEmpty },
    Fsync { reply: ReplyEmpty },
}

/// The disk, what is wrong with it, and what was asked of it.
#[derive(Debug)]
pub struct Service {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    memory: Memory,
    faults: Faults,
    counters: Counters,
    hanging: Vec<Request>,
}

#[derive(Debug, Default)]
struct Faults {
    read: Answer,
    write: Answer,
    fsync: Answer,
    delay_ms: u64,
}

impl Service {
    pub fn new(size_bytes: u64) -> Arc<Service> {
        let state = State {
            memory: Memory::new(size_bytes),
            faults: Faults::default(),
            counters: Counters::default(),
            hanging: Vec::new(),
        };
        Arc::new(Service { state: Mutex::new(state) })
    }

    /// Takes a request; the answer may come later, or never.
    pub fn accept(self: &Arc<Service>, request: Request) {
        let mut state = self.state();
        match request {
            Request::Read { .. } => state.counters.reads += 1,
            Request::Write { .. } | Request::Clear { .. } => state.counters.writes += 1,
            Request::Fsync { .. } => state.counters.fsyncs += 1,
        }
        if state.faults.delay_ms == 0 {
            return state.answer(request);
        }
        let delay = Duration::from_millis(state.faults.delay_ms);
        let service = Arc::clone(self);
        thread::spawn(move || {
            thread::sleep(delay);
            service.state().answer(request);
        });
    }

    /// Obeys the lines of `control`: all of them, or none where one is unknown.
    pub fn obey(&self, lines: &str) -> Result<(), Failure> {
        let faults = lines.lines().map(str::parse).collect::<Result<Vec<Fault>, _>>()?;
        let mut state = self.state();
        for fault in faults {
            match fault {
                Fault::Read(answer) => state.faults.read = answer,
                Fault::Write(answer) => state.faults.write = answer,
                Fault::Fsync(answer) => state.faults.fsync = answer,
                Fault::DelayMs(delay_ms) => state.faults.delay_ms = delay_ms,
            }
        }
        for request in std::mem::take(&mut state.hanging) {
            state.answer(request);
        }
        Ok(())
    }

    /// The content of `counters`.
    pub fn counters(&self) -> String {
        let state = self.state();
        Counters { hanging: state.hanging.len() as u64, ..state.counters }.to_line()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, request: Request) {
        let (answer, failed) = match request {
            Request::Read { .. } => (self.faults.read, &mut self.counters.failed_reads),
            Request::Write { .. } | Request::Clear { .. } => {
                (self.faults.write, &mut self.counters.failed_writes)
            }
            Request::Fsync { .. } => (self.faults.fsync, &mut self.counters.failed_fsyncs),
        };
        let errno = match answer {
            Answer::Ok => return request.perform(&mut self.memory),
            Answer::Hang => return self.hanging.push(request),
            Answer::Eio => Errno::EIO,
            Answer::Enospc => Errno::ENOSPC,
            Answer::Eopnotsupp => Errno::EOPNOTSUPP,
        };
        *failed += 1;
        request.refuse(errno);
    }
}

impl Request {
    fn perform(self, memory: &mut Memory) {
        match self {
            Request::Read { offset, length, reply } => reply.data(&memory.read(offset, length)),
            Request::Write { offset, bytes, reply } => {
                reply.written(memory.write(offset, &bytes) as u32);
            }
            Request::Clear { offset, length, reply } => {
                memory.clear(offset, length);
                reply.ok();
            }
            Request::Fsync { reply } => reply.ok(),
        }
    }

    fn refuse(self, errno: Errno) {
        match self {
            Request::Read { reply, .. } => reply.error(errno),
            Request::Write { reply, .. } => reply.error(errno),
            Request::Clear { reply, .. } | Request::Fsync { reply } => reply.error(errno),
        }
    }
}
