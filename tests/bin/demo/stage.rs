//! The world of one act: a guest, its disk, its host's xenstore, and a folder to type commands in.
//!
//! In that folder `guest`, `storage` and `xenstored` are links, so that a command is run exactly
//! as it is shown. Dropping a stage takes all of it away, mounts first.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use harness::failure::{Failure, Result, Tried};
use harness::faulty_disk::FaultyDisk;
use harness::guest_root::GuestRoot;
use harness::guest_xenstore::{VbdSpec, add_vbd};
use harness::scratch::Scratch;
use harness::xenstored::Xenstored;

use crate::show::World;
use crate::stand_in::StandIn;

/// The disk: a partition that is itself a vbd, on DRBD.
const VBD: VbdSpec<'_> = VbdSpec {
    number: 51714,
    name: "xvda2",
    params: "/dev/drbd3",
    script: "/etc/xen/scripts/block",
    kind: "phy",
    mode: "w",
    device_type: "disk",
    flush: Some("1"),
    barrier: Some("1"),
    more: &[],
};

/// What blkfront, whose place the loop device takes, would have said when it connected.
const GUEST_LOG: &str = "6,0,0,-;Linux version 5.10.0-30-amd64\n\
    6,1,1204000,-;blkfront: xvda2: flush diskcache: enabled; persistent grants: enabled; \
    indirect descriptors: enabled; bounce buffer: disabled\n";

/// A stage. Fields are dropped from the top.
#[derive(Debug)]
pub struct Stage {
    stand_in: Option<StandIn>,
    guest: GuestRoot,
    disk: Arc<FaultyDisk>,
    store: Arc<Xenstored>,
    folder: Scratch,
    path: OsString,
    boots: u32,
}

impl Stage {
    /// A guest that has just booted, with an ext3 on a healthy disk.
    pub fn new() -> Result<Stage> {
        let path = path()?;
        let folder = Scratch::new("demo")?;
        let store = Arc::new(Xenstored::start()?);
        let disk = Arc::new(FaultyDisk::formatted("ext3")?);
        let mut guest = GuestRoot::new()?;
        guest.add_disk(VBD.name, VBD.number, &disk.device)?;
        // The log of this machine tells of this machine's disks, which may have the same names.
        let log = guest.within("dev/kmsg");
        fs::remove_file(&log).tried(format_args!("remove {}", log.display()))?;
        guest.write("dev/kmsg", GUEST_LOG)?;
        let srv = guest.within("srv");
        fs::create_dir(&srv).tried(format_args!("make {}", srv.display()))?;
        for (name, target) in [
            ("guest", guest.path().to_owned()),
            ("storage", disk.storage.file()),
            ("xenstored", store.socket().to_owned()),
        ] {
            symlink(target, folder.path().join(name)).tried(format_args!("link {name}"))?;
        }
        let mut stage = Stage { stand_in: None, guest, disk, store, folder, path, boots: 0 };
        stage.boot()?;
        Ok(stage)
    }

    /// The storage refuses flushes from now on.
    pub fn refuse_flushes(&mut self) -> Result<()> {
        let key = format!("{}/feature-flush-cache", VBD.backend());
        let (disk, store) = (Arc::clone(&self.disk), Arc::clone(&self.store));
        self.stand_in = Some(StandIn::start(disk, store, key)?);
        Ok(())
    }

    /// The storage takes them again.
    pub fn heal(&mut self) -> Result<()> {
        self.stand_in = None;
        self.disk.storage.heal()
    }

    /// The guest boots again, on storage that refuses flushes.
    pub fn reboot(&mut self) -> Result<()> {
        self.boot()?;
        self.refuse_flushes()
    }

    /// A new boot, a new connection: memory is empty, and the backend advertises everything.
    fn boot(&mut self) -> Result<()> {
        self.boots += 1;
        let id = format!("5e2d8d1c-0b52-4f0a-9c41-{:012x}\n", self.boots);
        self.guest.write("proc/sys/kernel/random/boot_id", &id)?;
        let run = self.guest.within("run");
        fs::remove_dir_all(&run)
            .and_then(|()| fs::create_dir(&run))
            .tried(format_args!("empty {}", run.display()))?;
        add_vbd(&self.store, &VBD)
    }

    /// The guest's mountinfo shows its file system, as the machine's own does.
    pub fn say_mounted(&self, mount_point: &str) -> Result<()> {
        self.guest.say_mounted(VBD.name, mount_point, "ext3", "rw")
    }

    /// Gives the guest an fstab, and the modules of the kernel that it runs.
    pub fn write_fstab(&self, content: &str) -> Result<()> {
        self.guest.write("lib/modules/5.10.0-30-amd64/modules.dep", "")?;
        self.guest.write("etc/fstab", content)
    }

    /// The guest's fstab.
    pub fn fstab(&self) -> Result<String> {
        self.guest.read("etc/fstab")
    }

    /// Puts a file into the folder where commands are typed.
    pub fn write(&self, name: &str, content: &str) -> Result<()> {
        let file = self.folder.path().join(name);
        fs::write(&file, content).tried(format_args!("write {}", file.display()))
    }

    /// What this machine's kernel calls the disk.
    pub fn loop_name(&self) -> String {
        self.disk.device.name()
    }

    /// Flushes that reached the storage so far.
    pub fn flushes(&self) -> Result<u64> {
        self.disk.storage.fsyncs()
    }

    /// All that xvdguard could have changed: the disk's queue, and xenstore.
    pub fn settings(&self) -> Result<String> {
        let queue = self.disk.device.sysfs().join("queue");
        let what = || format!("list {}", queue.display());
        let mut settings = self.store.listing()?;
        let mut names = Vec::new();
        for entry in fs::read_dir(&queue).tried(what())? {
            names.push(entry.tried(what())?.path());
        }
        names.sort();
        for name in names {
            // Some can only be written; they say nothing either way.
            let value = fs::read_to_string(&name).unwrap_or_default();
            settings += &format!("{} = {value}\n", name.display());
        }
        Ok(settings)
    }

    /// The report that a program left in the guest's memory, a JSON document; empty where it left
    /// none.
    pub fn report(&self, name: &str) -> String {
        self.guest.read(&format!("run/xvdguard/{name}.json")).unwrap_or_default()
    }

    /// What a command prints that is not shown.
    pub fn output(&self, line: &str) -> Result<String> {
        let output = self.command(line)?.output().tried(format_args!("run {line}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl World for Stage {
    fn command(&self, line: &str) -> Result<Command> {
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(self.folder.path())
            .env("PATH", &self.path)
            .env("LC_ALL", "C")
            .stdin(Stdio::null());
        Ok(command)
    }

    fn shortened(&self, text: &str) -> String {
        let guest = self.guest.path().display().to_string();
        let storage = self.disk.storage.file().display().to_string();
        text.replace(&guest, "guest").replace(&storage, "storage")
    }

    /// What the stand-in for blkback has done.
    fn said(&self) -> Result<Option<&'static str>> {
        self.stand_in.as_ref().map_or(Ok(None), StandIn::said)
    }
}

/// Where commands are looked for: first the programs as they are shipped, last where root's
/// programs are although `PATH` may not say so.
pub fn path() -> Result<OsString> {
    let ours = env::var_os("XVDGUARD_BIN_DIR")
        .ok_or_else(|| Failure::new("XVDGUARD_BIN_DIR is not set. Do: make demo"))?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from(ours)].into_iter().chain(env::split_paths(&path));
    let folders = folders.chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    env::join_paths(folders).tried("put XVDGUARD_BIN_DIR into PATH")
}

/// The verdict in a JSON document about one disk.
pub fn verdict(document: &str) -> &str {
    let value = document.split_once("\"verdict\":").map(|(_, rest)| rest);
    value.and_then(|value| value.split('"').nth(1)).unwrap_or("without a verdict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_found_in_compact_and_pretty_documents() {
        assert_eq!(verdict(r#"{"disks":[{"verdict":"proven","reason":""}]}"#), "proven");
        assert_eq!(verdict("{\n  \"vbd\": 1,\n  \"verdict\": \"refused\"\n}\n"), "refused");
        assert_eq!(verdict("{\"disks\":[]}"), "without a verdict");
    }
}
