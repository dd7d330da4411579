//! `make xen`: scenarios on a real Xen, which runs in QEMU without help of the processor.
//!
//! One program with two roles: on this machine it builds the bed, plays the scenarios and writes
//! RESULTS.md; as PID 1 of a guest it is the guest (`guest/`). Ends with 0 only when every scenario
//! that was asked for passed, with 1 where one failed, and with 2 where the bed itself did.
//! Nothing is mounted, bound or left running on this machine.
//!
//! A *scenario* is a fault that is there from the beginning, and what it does to mounted disks; a
//! *story* is told step by step. Both are files in `scenarios/`.

mod bed;
mod broken;
mod build;
mod crew;
mod domain;
mod guest;
mod judge;
mod matrix;
mod order;
mod own_root;
mod play;
mod results;
mod run;
mod scenario;
mod scenarios;
mod scripts;
mod story;
mod telling;
mod wanted;

use std::env;
use std::io::{self, Write};
use std::process::{self, ExitCode};

/// The bed failed, not xvdguard.
const BAD_WEATHER: u8 = 2;

fn main() -> ExitCode {
    if process::id() == 1 {
        guest::main();
    }
    let words: Vec<String> = env::args().collect();
    if let [_, word, path, count] = words.as_slice()
        && word == "write"
    {
        return guest::write(path, count);
    }
    match run::run() {
        Ok(0) => {
            say("all passed");
            ExitCode::SUCCESS
        }
        Ok(failed) => {
            say(&format!("{failed} failed: see RESULTS.md"));
            ExitCode::FAILURE
        }
        Err(failure) => {
            say(&format!("error: {failure}"));
            ExitCode::from(BAD_WEATHER)
        }
    }
}

/// A closed pipe is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "xen: {line}");
}
