//! Stands in for blkback, the host's half of a Xen disk, in the one thing the story needs of it.
//!
//! When its storage refuses a flush, blkback first sets `feature-flush-cache` to 0 in xenstore
//! and then passes the refusal to the guest (xen_blkbk_flush_diskcache,
//! drivers/block/xen-blkback/blkback.c). So the first flush is held here until the key is
//! written. Never speaks to the guest, and does nothing where no flush comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use harness::failure::{Result, Tried};
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::xenstored::Xenstored;

/// What the stand-in says on the screen when it has done its work.
const SAID: &str = "the stand-in for blkback: a flush was refused, feature-flush-cache is 0 now";
/// Between two looks at the storage.
const PAUSE: Duration = Duration::from_millis(1);

/// A stand-in that waits for the first flush; dropping it ends it.
#[derive(Debug)]
pub struct StandIn {
    is_over: Arc<AtomicBool>,
    told: Receiver<Result<()>>,
    thread: Option<JoinHandle<()>>,
}

impl StandIn {
    /// From now on flushes are refused; `key` is set to 0 at the first.
    pub fn start(disk: Arc<FaultyDisk>, store: Arc<Xenstored>, key: String) -> Result<StandIn> {
        disk.storage.set(Fault::Fsync(Answer::Hang))?;
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let (tell, told) = mpsc::channel();
        let work = move || {
            if has_flush(&disk, &over) {
                let _ = tell.send(store.write(&key, "0"));
            }
            // Whatever happened, nobody shall wait for an answer.
            let _ = disk.storage.set(Fault::Fsync(Answer::Eopnotsupp));
        };
        let builder = thread::Builder::new().name("stand-in".to_owned());
        let thread = builder.spawn(work).tried("start the stand-in for blkback")?;
        Ok(StandIn { is_over, told, thread: Some(thread) })
    }

    /// What it has done since it was asked last, if anything. Whoever has the answer to a flush
    /// finds it said.
    pub fn said(&self) -> Result<Option<&'static str>> {
        self.told.try_recv().map_or(Ok(None), |written| written.map(|()| Some(SAID)))
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits; false where it was over before a flush came, or the storage is gone.
fn has_flush(disk: &FaultyDisk, is_over: &AtomicBool) -> bool {
    while !is_over.load(Ordering::SeqCst) {
        match disk.storage.counters() {
            Ok(counters) if counters.hanging > 0 => return true,
            Ok(_) => thread::sleep(PAUSE),
            Err(_) => return false,
        }
    }
    false
}
