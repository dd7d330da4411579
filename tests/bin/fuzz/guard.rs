//! Says which case is to blame when a parser panics, hangs or breaks its rule, and ends the
//! program.

use std::io::{self, Write};
use std::panic;
use std::process;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// No input takes a parser so long, on the slowest machine.
const DEADLINE: Duration = Duration::from_secs(20);
/// Bytes of an input that are shown; the seed makes all of them again.
const SHOWN: usize = 4000;

/// What is being tried.
#[derive(Debug)]
pub struct Case {
    /// The parser.
    pub parser: &'static str,
    /// What makes the input.
    pub seed: u64,
    /// The input.
    pub input: Vec<u8>,
}

static CASE: Mutex<Option<(Case, Instant)>> = Mutex::new(None);

/// Watches all cases from here on.
pub fn watch() {
    panic::set_hook(Box::new(|what| fail(&what.to_string())));
    thread::spawn(|| {
        loop {
            thread::sleep(Duration::from_secs(1));
            let since = CASE.lock().unwrap_or_else(PoisonError::into_inner);
            let elapsed = since.as_ref().map(|(_, begun)| begun.elapsed());
            drop(since);
            if elapsed.is_some_and(|elapsed| elapsed > DEADLINE) {
                fail(&format!("not done after {DEADLINE:?}"));
            }
        }
    });
}

/// A case begins.
pub fn begin(case: Case) {
    *CASE.lock().unwrap_or_else(PoisonError::into_inner) = Some((case, Instant::now()));
}

/// The case that is being tried has failed.
pub fn fail(why: &str) -> ! {
    let mut to = io::stdout().lock();
    let _ = writeln!(to, "fuzz: FAILED: {why}");
    if let Some((case, _)) = &*CASE.lock().unwrap_or_else(PoisonError::into_inner) {
        let Case { parser, seed, input } = case;
        let shown = input[..input.len().min(SHOWN)].escape_ascii();
        let _ = writeln!(to, "fuzz: {parser} with {} bytes: \"{shown}\"", input.len());
        let again = format!("--parser {parser} --seed {seed} --executions 1");
        let _ =
            writeln!(to, "fuzz: to repeat it: cargo run -p xvdguard-tests --bin fuzz -- {again}");
    }
    let _ = to.flush();
    process::exit(1)
}
