//! Plays what Xen's blkback does with a flush that its storage cannot do.
//!
//! It writes 0 to the key that offered the flush, and only then answers (xen_blkbk_flush_diskcache
//! in drivers/block/xen-blkback/blkback.c). A loop device makes EIO of every refusal, so the errno
//! of the answer is not blkback's. Never plays anything else of blkback.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::deadline;
use crate::failure::Result;
use crate::fault::{Answer, Fault};
use crate::faulty_storage::FaultyStorage;
use crate::xenstored::Xenstored;

/// Longer than any program under test lives.
const LIMIT: Duration = Duration::from_secs(60);

/// Runs `work` while the first flush is refused so; later flushes are refused too, also after
/// this returns. `key` is the backend's `feature-flush-cache` or `feature-barrier`.
pub fn refuse_flushes<T>(
    storage: &FaultyStorage,
    store: &Xenstored,
    key: &str,
    work: impl FnOnce() -> T,
) -> Result<T> {
    storage.set(Fault::Fsync(Answer::Hang))?;
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let backend = scope.spawn(|| {
            let arrived = || storage.counters().is_ok_and(|counters| counters.hanging > 0);
            let seen = || (arrived() || is_over.load(Ordering::SeqCst)).then_some(());
            let _ = deadline::seen(LIMIT, seen);
            if arrived() {
                store.write(key, "0")?;
            }
            storage.set(Fault::Fsync(Answer::Eio))
        });
        let done = work();
        is_over.store(true, Ordering::SeqCst);
        let refused = backend.join();
        refused.unwrap_or(Ok(())).map(|()| done)
    })
}
