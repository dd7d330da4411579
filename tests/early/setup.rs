//! What the tests of this target share: one boot of a guest, and what came of it.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;
use std::time::Duration;

use harness::guest::Guest;
use harness::programs::{self, Ran};
use serde_json::Value;

/// The 3 s of the design, and what starting a process may take on a busy machine.
pub const IN_TIME: Duration = Duration::from_millis(3200);

/// Where the line for root goes.
pub const LINE: &str = "run/root-options";

/// Runs `xvdguard-early boot`. It must end with 0, in time and without a word.
pub fn boot(guest: &Guest) -> Ran {
    boot_with::<&str>(guest, &[])
}

/// The same with further words.
pub fn boot_with<W: AsRef<OsStr>>(guest: &Guest, words: &[W]) -> Ran {
    let _ = fs::write(guest.root.within(LINE), "left from another boot; $(reboot)\n");
    let mut command = command(guest);
    command.args(words);
    ends_well(run(command))
}

/// `xvdguard-early boot`, not yet run.
pub fn command(guest: &Guest) -> Command {
    let file = guest.root.within(LINE);
    guest.command("xvdguard-early", &["boot".as_ref(), "-o".as_ref(), file.as_os_str()]).unwrap()
}

/// Runs a command to its end.
pub fn run(command: Command) -> Ran {
    programs::run(command, Duration::from_secs(20)).unwrap()
}

/// A run that no hook would notice.
pub fn ends_well(ran: Ran) -> Ran {
    assert_eq!((ran.code, ran.out().as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.took < IN_TIME, "{:?}", ran.took);
    ran
}

/// The line for root, without its end.
pub fn line(guest: &Guest) -> String {
    let line = guest.root.read(LINE).unwrap();
    assert!(line.is_empty() || line.ends_with('\n'), "{line:?}");
    line.trim_end_matches('\n').to_owned()
}

/// What early boot kept for later; none where it kept nothing.
pub fn report(guest: &Guest) -> Option<Value> {
    let text = guest.root.read("run/xvdguard/early.json").ok()?;
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// The kept verdict of one disk.
pub fn verdict(guest: &Guest, name: &str) -> String {
    disk(guest, name)["verdict"].as_str().unwrap().to_owned()
}

/// What was kept about one disk.
pub fn disk(guest: &Guest, name: &str) -> Value {
    let report = report(guest).expect("no report was kept");
    let disks = report["disks"].as_array().unwrap().iter();
    let found = disks.clone().find(|disk| disk["name"] == name).cloned();
    found.unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

/// `write_cache` of a disk, as the kernel shows it.
pub fn write_cache(guest: &Guest, index: usize) -> String {
    guest.disks[index].device.queue("write_cache").unwrap()
}
