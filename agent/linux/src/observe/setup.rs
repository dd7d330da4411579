//! How the machine is set up: the files that `xvdguard_logic::audit::setup::WANTED` names.
//!
//! They lie on the root file system, whose disk may be silent: so they are read by a child, with a
//! deadline. Only regular files are read, and none that is larger than it should be. What cannot be
//! read is an oddity, never a finding.

mod gather;
mod parcel;

use std::time::Instant;

use xvdguard_logic::audit::setup::File;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::root::Root;

/// Reads all files, in the order of `WANTED`. An error: the root file system does not answer.
pub fn read(root: &Root, deadline: Instant, oddities: &mut Vec<String>) -> Result<Vec<File>> {
    let started = Instant::now();
    let task: Task<'_> = Box::new(|| parcel::pack(&gather::gather(root)));
    match child::run(task, deadline)? {
        Ending::Answered(answer) => {
            let gathered = parcel::unpack(&answer).ok_or_else(|| broken(root))?;
            oddities.extend(gathered.oddities);
            Ok(gathered.files)
        }
        Ending::Died => Err(broken(root)),
        Ending::Silent => {
            let after_ms = started.elapsed().as_millis() as u64;
            Err(Error::timed_out("read", root.shown(b"etc"), after_ms))
        }
    }
}

fn broken(root: &Root) -> Error {
    Error::content("read", root.shown(b"etc"), "the process that reads it ended before it was done")
}
