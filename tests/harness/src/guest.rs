//! A whole guest: a root directory, a xenstore, and disks that fail on command.
//!
//! Disks are `xvda`, `xvdb`, … in the order in which they were added; each is its own storage, so
//! that flushes can be counted for each. The kernel log is a short file that reaches back to boot:
//! the one of the machine the tests run on has long lost its beginning. Programs are run with a
//! limit, and with the guest as their whole world.

use std::ffi::OsStr;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, major, minor, mknodat};

use crate::failure::{Failure, Result, Tried};
use crate::faulty_disk::FaultyDisk;
use crate::guest_root::GuestRoot;
use crate::guest_xenstore::{VbdSpec, add_vbd};
use crate::live_log::LiveLog;
use crate::programs::{self, Ran};
use crate::xenstored::Xenstored;

/// A guest. Fields are dropped from the top, as it has to be.
#[derive(Debug)]
pub struct Guest {
    log: Option<LiveLog>,
    /// Its directory.
    pub root: GuestRoot,
    /// Its xenstore.
    pub store: Xenstored,
    /// Its disks.
    pub disks: Vec<FaultyDisk>,
}

/// Nothing that is asked of a program here takes longer, on a busy machine either.
const LIMIT: Duration = Duration::from_secs(40);
/// The vbd number of xvda; each next disk has 16 more.
const FIRST: u32 = 51712;
/// What the log of a guest begins with.
const FIRST_RECORD: &str = "6,0,0,-;Linux version 5.10.0-30-amd64";
/// Empty disks need not be large.
const SIZE: u64 = 1 << 20;

/// Names of the disks, in order.
const NAMES: [&str; 16] = [
    "xvda", "xvdb", "xvdc", "xvdd", "xvde", "xvdf", "xvdg", "xvdh", "xvdi", "xvdj", "xvdk", "xvdl",
    "xvdm", "xvdn", "xvdo", "xvdp",
];

impl Guest {
    /// A guest without a disk.
    pub fn new() -> Result<Guest> {
        let (root, store) = (GuestRoot::new()?, Xenstored::start()?);
        let guest = Guest { log: None, root, store, disks: Vec::new() };
        guest.write_log(&[])?;
        guest.root.write("proc/sys/kernel/random/boot_id", "0b5d3a52-8f2c-4f0e-9d5b-3c1a\n")?;
        Ok(guest)
    }

    /// A guest with so many empty disks that offer flushes.
    pub fn with_disks(count: usize) -> Result<Guest> {
        let mut guest = Guest::new()?;
        for _ in 0..count {
            guest.add_disk(FaultyDisk::new(SIZE)?, &VbdSpec::default())?;
        }
        Ok(guest)
    }

    /// A guest with one disk whose backend has other keys than the default ones.
    pub fn with_vbd(spec: &VbdSpec<'_>) -> Result<Guest> {
        let mut guest = Guest::new()?;
        guest.add_disk(FaultyDisk::new(SIZE)?, spec)?;
        Ok(guest)
    }

    /// A guest with one disk that carries a file system, not mounted.
    pub fn formatted(fstype: &str) -> Result<Guest> {
        let mut guest = Guest::new()?;
        guest.add_disk(FaultyDisk::formatted(fstype)?, &VbdSpec::default())?;
        Ok(guest)
    }

    /// Adds a disk: `spec` without its name and number, which follow from the order.
    pub fn add_disk(&mut self, disk: FaultyDisk, spec: &VbdSpec<'_>) -> Result<()> {
        let (name, number) = self.next();
        add_vbd(&self.store, &VbdSpec { name, number, ..spec.clone() })?;
        self.root.add_disk(name, number, &disk.device)?;
        self.disks.push(disk);
        Ok(())
    }

    /// Adds a disk that blkfront drives, as far as sysfs tells: plain files, so what is written to
    /// its queue reaches no kernel. Its node is the real one.
    pub fn add_blkfront_disk(&mut self, disk: FaultyDisk, queue: &[(&str, &str)]) -> Result<()> {
        let (name, number) = self.next();
        self.add_blkfront_disk_as(name, number, disk, queue)
    }

    /// The same with a name and a number of its own: `xvda2`, 51714.
    pub fn add_blkfront_disk_as(
        &mut self,
        name: &str,
        number: u32,
        disk: FaultyDisk,
        queue: &[(&str, &str)],
    ) -> Result<()> {
        let block = format!("sys/block/{name}");
        let rdev = disk.device.rdev();
        let sectors = fs::read_to_string(disk.device.sysfs().join("size")).tried("read a size")?;
        self.root.write(&format!("{block}/dev"), &format!("{}:{}\n", major(rdev), minor(rdev)))?;
        self.root.write(&format!("{block}/size"), &sectors)?;
        self.root.write(&format!("{block}/ro"), "0\n")?;
        for (attribute, value) in queue {
            self.root.write(&format!("{block}/queue/{attribute}"), &format!("{value}\n"))?;
        }
        let device = self.root.within(&format!("{block}/device"));
        fs::create_dir_all(&device).tried("make the folder of a device")?;
        symlink("../../bus/xen/drivers/vbd", device.join("driver")).tried("link its driver")?;
        let below = format!("sys/bus/xen/devices/vbd-{number}/block/{name}");
        fs::create_dir_all(self.root.within(&below)).tried("make a vbd")?;
        let node = self.root.within(&format!("dev/{name}"));
        mknodat(CWD, &node, FileType::BlockDevice, Mode::RUSR | Mode::WUSR, rdev)
            .tried(format_args!("make the device node {}", node.display()))?;
        add_vbd(&self.store, &VbdSpec { name, number, ..VbdSpec::default() })?;
        self.disks.push(disk);
        Ok(())
    }

    fn next(&self) -> (&'static str, u32) {
        let index = self.disks.len();
        (NAMES[index], FIRST + 16 * index as u32)
    }

    /// The backend's key of the disk with this index that says whether it can flush.
    pub fn flush_key(&self, index: usize) -> String {
        let spec = VbdSpec { number: FIRST + 16 * index as u32, ..VbdSpec::default() };
        format!("{}/feature-flush-cache", spec.backend())
    }

    /// Makes the guest run another kernel.
    pub fn run_kernel(&self, release: &str) -> Result<()> {
        self.root.write("proc/sys/kernel/osrelease", &format!("{release}\n"))
    }

    /// Makes the kernel log a file with these records behind the first one.
    pub fn write_log(&self, records: &[&str]) -> Result<()> {
        let lines = [&[FIRST_RECORD], records].concat().join("\n") + "\n";
        // The node of the real log must not be written to.
        let _ = fs::remove_file(self.root.within("dev/kmsg"));
        self.root.write("dev/kmsg", &lines)
    }

    /// Makes the kernel log one that is followed: from now on `log` adds to it, `heard` tells
    /// what programs wrote to it.
    pub fn live_log(&mut self) -> Result<()> {
        // The one before lies over the same file.
        self.log = None;
        let log = LiveLog::show_in(&self.root)?;
        log.add(FIRST_RECORD)?;
        self.log = Some(log);
        Ok(())
    }

    /// Adds a record to the log that is followed.
    pub fn log(&self, record: &str) -> Result<()> {
        self.followed()?.add(record)
    }

    /// What was written to the log that is followed, since the last time it was asked.
    pub fn heard(&self) -> Result<String> {
        self.followed()?.heard()
    }

    fn followed(&self) -> Result<&LiveLog> {
        self.log.as_ref().ok_or_else(|| Failure::new("the log of this guest is a file"))
    }

    /// Removes what earlier runs reported, as a reboot would.
    pub fn forget_reports(&self) -> Result<()> {
        let folder = self.root.within("run/xvdguard");
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).tried(format_args!("remove {}", folder.display()))
            }
            _ => Ok(()),
        }
    }

    /// One of our programs with the guest as its world: `--root` and `--xenstore`, behind `words`.
    pub fn command<W: AsRef<OsStr>>(&self, program: &str, words: &[W]) -> Result<Command> {
        let mut command = programs::command(program)?;
        command.args(words).arg("--root").arg(self.root.path());
        command.arg("--xenstore").arg(self.store.socket());
        Ok(command)
    }

    /// Runs `xvdguard` to its end.
    pub fn xvdguard<W: AsRef<OsStr>>(&self, words: &[W]) -> Result<Ran> {
        programs::run(self.command("xvdguard", words)?, LIMIT)
    }

    /// Runs `xvdguard-early` to its end.
    pub fn early<W: AsRef<OsStr>>(&self, words: &[W]) -> Result<Ran> {
        programs::run(self.command("xvdguard-early", words)?, LIMIT)
    }

    /// Flushes that arrived at each disk since it was made.
    pub fn flushes(&self) -> Result<Vec<u64>> {
        self.disks.iter().map(|disk| disk.storage.fsyncs()).collect()
    }
}
