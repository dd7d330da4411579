//! A pretended guest with many small ext4 volumes and a xenstored, and a daemon that only reports.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::Stdio;
use std::time::Duration;

use harness::deadline;
use harness::failure::{Failure, Result, Tried};
use harness::guest_xenstore::{VbdSpec, add_vbd};
use harness::helper::Helper;
use harness::loop_device::LoopDevice;
use harness::pretended_guest::PretendedGuest;
use harness::program;
use harness::xenstored::Xenstored;

use super::processes::{Said, child_of, follow};
use crate::bench::Bench;

/// The smallest ext4 that mkfs gives a journal without being asked.
const BYTES: u64 = 16 << 20;
const SOON: Duration = Duration::from_secs(120);

/// The guest. Fields are dropped from the top.
pub struct Watched {
    daemon: Helper,
    /// What the daemon says.
    pub said: Said,
    pub guest: PretendedGuest,
    pub disks: Vec<LoopDevice>,
    _xenstored: Xenstored,
}

impl Watched {
    /// With so many volumes, mounted on `/run/v000` and so on, and watched.
    pub fn start(bench: &Bench, count: usize) -> Result<Watched> {
        let mut disks = Vec::new();
        for number in 0..count {
            let path = bench.within(&format!("volume-{number}"));
            let file = File::create(&path).tried("make a disk")?;
            file.set_len(BYTES).tried("make a disk")?;
            let disk = LoopDevice::attach(&path)?;
            program::run("mkfs.ext4", &["-q", &disk.node().display().to_string()])?;
            disks.push(disk);
        }
        let guest = PretendedGuest::start(&disks.iter().collect::<Vec<_>>())?;
        for (number, disk) in disks.iter().enumerate() {
            let (at, node) = (at(number), disk.node().display());
            guest.run(&format!("mkdir {at} && mount -t ext4 {node} {at}"))?;
        }
        let xenstored = host_of(&guest, &disks)?;
        let config = "[recovery]\ndefault = \"report\"\n";
        fs::write(guest.within("/etc/xvdguard/config.toml"), config).tried("configure")?;
        let mut command = guest.command("sh");
        command.args(["-c", "exec \"$0\" daemon 2>&1"]).arg(bench.program("xvdguard"));
        command.stdout(Stdio::piped());
        let mut daemon = Helper::start(command)?;
        let said = follow(&mut daemon)?;
        let watched = Watched { daemon, said, guest, disks, _xenstored: xenstored };
        let identified = deadline::seen(SOON, || watched.identified().filter(|n| *n == count));
        identified.ok_or_else(|| Failure::new("the daemon did not come to know its volumes"))?;
        Ok(watched)
    }

    /// Volumes whose super block is known.
    fn identified(&self) -> Option<usize> {
        let memory = fs::read_to_string(self.guest.within("/run/xvdguard/memory.json")).ok()?;
        Some(memory.matches("\"identity\":{").count())
    }

    /// The daemon's process, as this machine counts.
    pub fn daemon(&self) -> Result<u32> {
        let nsenter = self.daemon.pid().as_raw_nonzero().get() as u32;
        child_of(nsenter).ok_or_else(|| Failure::new("the daemon has no process"))
    }

    /// The keeper's: the first that the daemon forks.
    pub fn keeper(&self) -> Result<u32> {
        let daemon = self.daemon()?;
        child_of(daemon).ok_or_else(|| Failure::new("the keeper has no process"))
    }
}

/// The guest's xenstore: the vbds by the numbers that its `/sys` has.
fn host_of(guest: &PretendedGuest, disks: &[LoopDevice]) -> Result<Xenstored> {
    let xenstored = Xenstored::start()?;
    for (disk, number) in disks.iter().zip((51728..).step_by(16)) {
        add_vbd(&xenstored, &VbdSpec { number, name: &disk.name(), ..VbdSpec::default() })?;
    }
    let folder = guest.within("/run/xenstored");
    fs::create_dir(&folder).tried("make a place for xenstore")?;
    symlink(xenstored.socket(), folder.join("socket")).tried("become xenstore")?;
    Ok(xenstored)
}

/// Where a volume is mounted.
pub fn at(number: usize) -> String {
    format!("/run/v{number:03}")
}
