//! Telling systemd that fstab changed: it makes its mount units from it.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::child::{self, Ending, Task};
use crate::root::Root;

/// A reload of a large system on a busy machine.
const RELOAD: Duration = Duration::from_secs(60);

/// Reloads the units where systemd runs; false where it did not obey.
pub fn reload(root: &Root) -> bool {
    // sd_booted(3)
    if !root.is_machine() || root.stat(b"run/systemd/system").is_err() {
        return true;
    }
    let task: Task<'_> = Box::new(|| {
        let mut command = Command::new("systemctl");
        let command = command.arg("daemon-reload").stdin(Stdio::null());
        let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        vec![u8::from(ended.is_ok_and(|status| status.success()))]
    });
    child::run(task, Instant::now() + RELOAD) == Ok(Ending::Answered(vec![1]))
}
