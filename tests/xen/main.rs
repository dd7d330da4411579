//! `make xen`: scenarios on a real Xen, which runs in QEMU without help of the processor.
//!
//! One program with two roles: on this machine it builds the bed, plays the scenarios and writes
//! RESULTS.md; as PID 1 of a guest it is the guest (`guest/`). Ends with 0 only when every scenario
//! that was asked for passed, with 1 where one failed, and with 2 where the bed itself did.
//! Nothing is mounted, bound or left running on this machine.
//!
//! Not played yet: faults that begin or end while a guest runs, save and restore, a guest with
//! systemd and the hooks of its initramfs, PVH, DRBD, iSCSI, and everything about `apply`. LVM is
//! played by the device-mapper alone, since that is what decides about barriers.

mod bed;
mod build;
mod domain;
mod guest;
mod judge;
mod order;
mod results;
mod run;
mod scenario;
mod scenarios;
mod scripts;

use std::env;
use std::io::{self, Write};
use std::process::{self, ExitCode};

/// The bed failed, not xvdguard.
const BAD_WEATHER: u8 = 2;

fn main() -> ExitCode {
    if process::id() == 1 {
        guest::main();
    }
    let asked = |name| env::var(name).ok().filter(|word| !word.is_empty());
    match run::run(asked("SCENARIO").as_deref(), asked("KERNEL").as_deref()) {
        Ok(0) => ExitCode::SUCCESS,
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
