//! A disk of the simulated guest, and what serves it. Never holds a file system: `machine` does.

use crate::script::Backend;

/// A disk and what serves it.
#[derive(Debug, Clone)]
pub struct Disk {
    pub name: &'static str,
    pub backend: Backend,
    /// Which file system is on it.
    pub content: u64,
    pub in_flight: u64,
    pub completed: u64,
    pub written: u64,
    pub is_loaded: bool,
    pub write_back: bool,
    /// A flush failed since it connected.
    pub flush_failed: bool,
    pub offers_flush: bool,
    pub key_is_zero: bool,
    pub connection: u64,
    /// When it took a write last.
    pub wrote_ms: Option<u64>,
    /// When it gave an error last.
    pub failed_ms: Option<u64>,
}

impl Disk {
    /// One that works, with this content.
    pub fn new(name: &'static str, content: u64) -> Disk {
        Disk {
            name,
            backend: Backend::Up,
            content,
            in_flight: 0,
            completed: 0,
            written: 0,
            is_loaded: false,
            write_back: true,
            flush_failed: false,
            offers_flush: true,
            key_is_zero: false,
            connection: 1,
            wrote_ms: None,
            failed_ms: None,
        }
    }

    /// Whether the backend would be the one to refuse the next flush.
    pub fn refuses_flushes(&self) -> bool {
        self.is_flushed() && self.backend == Backend::Refusing
    }

    /// Whether the guest would send a flush to a backend that has offered none.
    pub fn has_no_flush(&self) -> bool {
        self.is_flushed() && self.connection > 1 && !self.offers_flush
    }

    fn is_flushed(&self) -> bool {
        self.write_back && !self.flush_failed
    }

    /// A flush fails; `aborts`: on a kernel that sends none after that.
    pub fn flush_fails(&mut self, aborts: bool) {
        self.flush_failed = true;
        self.key_is_zero = self.offers_flush;
        self.write_back = !aborts;
    }

    /// Another backend, or the same anew.
    pub fn connects(&mut self) {
        self.connection += 1;
        self.key_is_zero = false;
        self.flush_failed = false;
    }
}
