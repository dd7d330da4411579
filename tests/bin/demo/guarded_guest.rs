//! The world of the act in which a daemon runs: a process tree that takes this machine for a guest
//! (`harness::pretended_guest`), and a volume on a storage that fails on command.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::deadline;
use harness::failure::{Failure, Result};
use harness::faulty_disk::FaultyDisk;
use harness::helper::Helper;
use harness::pretended_guest::PretendedGuest;

use crate::show::World;
use crate::stage;

/// A guest with a watched volume. Fields are dropped from the top.
pub struct GuardedGuest {
    _daemon: Helper,
    guest: PretendedGuest,
    pub disk: FaultyDisk,
}

const STARTS_WITHIN: Duration = Duration::from_secs(60);

impl GuardedGuest {
    /// Starts it, and waits until the daemon knows the volume.
    pub fn start() -> Result<GuardedGuest> {
        let disk = FaultyDisk::formatted("ext4")?;
        let guest = PretendedGuest::start(&[&disk.device])?;
        let node = disk.device.node().display();
        guest.run(&format!("mkdir /run/srv && mount -t ext4 {node} /run/srv"))?;
        let mut command = guest.command("sh");
        command
            .args(["-c", "exec xvdguard daemon 2>/run/daemon.log"])
            .env("PATH", stage::path()?)
            .stdout(Stdio::null());
        let daemon = Helper::start(command)?;
        let guarded = GuardedGuest { _daemon: daemon, guest, disk };
        let knows = || {
            let memory = guarded.document("memory");
            (memory.contains("\"healthy\"") && memory.contains("\"uuid\":\"")).then_some(())
        };
        let known = deadline::seen(STARTS_WITHIN, knows);
        known.ok_or_else(|| Failure::new("the daemon does not watch the volume"))?;
        Ok(guarded)
    }

    /// The health of the volume, as the daemon shows it.
    pub fn health(&self) -> String {
        let state = self.document("status");
        let health = state.split_once("\"health\":\"").and_then(|(_, rest)| rest.split_once('"'));
        health.map(|(health, _)| health.to_owned()).unwrap_or_default()
    }

    fn document(&self, name: &str) -> String {
        let path = self.guest.within(&format!("/run/xvdguard/{name}.json"));
        fs::read_to_string(path).unwrap_or_default()
    }
}

impl World for GuardedGuest {
    fn command(&self, line: &str) -> Result<Command> {
        let mut command = self.guest.command("sh");
        let line = format!("exec 2>&1\n{line}");
        command.args(["-c", &line]).env("PATH", stage::path()?).env("LC_ALL", "C");
        Ok(command)
    }
}
