//! Ctrl-C and its like, as a question that is asked between steps, so that the acts end in order
//! and take away what they made.
//!
//! Never waits for ever: a second signal, or a step that does not come back, ends the demo at
//! once, and then the kernel and the harness's keeper take everything away.

use std::process::exit;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use harness::failure::{Result, Tried};
use nix::sys::signal::{SigSet, Signal};

use crate::INTERRUPTED;
use crate::show::End;

/// What asks a program in a terminal to end.
const SIGNALS: [Signal; 3] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM];
/// Longer than any step takes, with the time to clean up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Whether a signal has come.
#[derive(Debug)]
pub struct Interrupt {
    has_come: Arc<AtomicBool>,
}

/// Begins to watch. For the first thread, before there is another: threads inherit what is
/// blocked here; programs do not, the standard library unblocks it for them.
pub fn watch() -> Result<Interrupt> {
    let signals: SigSet = SIGNALS.into_iter().collect();
    signals.thread_block().tried("block signals")?;
    let has_come = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&has_come);
    let wait = move || {
        let _ = signals.wait();
        flag.store(true, Ordering::SeqCst);
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            exit(i32::from(INTERRUPTED))
        });
        let _ = signals.wait();
        exit(i32::from(INTERRUPTED))
    };
    thread::Builder::new().name("signals".to_owned()).spawn(wait).tried("watch for signals")?;
    Ok(Interrupt { has_come })
}

/// Whether a command that this signal ended was asked to end together with the demo.
pub fn asks_to_end(signal: i32) -> bool {
    SIGNALS.iter().any(|asking| *asking as i32 == signal)
}

impl Interrupt {
    /// Ends the show where one has come.
    pub fn check(&self) -> std::result::Result<(), End> {
        if self.has_come.load(Ordering::SeqCst) { Err(End::Interrupted) } else { Ok(()) }
    }
}
