//! Work that may never come back, given a limit.
//!
//! A system call on a sick device cannot be interrupted, so the work gets a thread that is left
//! behind when it is late. Never waits longer than the limit; the late thread ends by itself when
//! the device answers or its server dies.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What `work` returned, or `None` where it did not return within `limit` (or panicked).
///
/// The thread inherits the mount namespace of the caller.
pub fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || tell.send(work()));
    told.recv_timeout(limit).ok()
}

/// Looks every few milliseconds until `look` sees something, at most for `limit`.
///
/// For states that the kernel or another process reaches in its own time and does not announce.
pub fn seen<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
    let mut left = limit;
    loop {
        if let Some(seen) = look() {
            return Some(seen);
        }
        left = left.checked_sub(BETWEEN_LOOKS)?;
        thread::sleep(BETWEEN_LOOKS);
    }
}
