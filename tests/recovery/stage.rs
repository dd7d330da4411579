//! A guest with a volume, a storage below it that fails on command, and a daemon.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::deadline;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::helper::Helper;
use harness::pretended_guest::PretendedGuest;
use harness::programs::{self, Ran};
use serde_json::Value;

/// A busy machine with four such tests side by side.
pub const SOON: Duration = Duration::from_secs(120);

/// Where the volume is mounted, inside.
pub const AT: &str = "/run/srv";

/// One test's world. Fields are dropped from the top.
pub struct Stage {
    daemon: Option<Helper>,
    /// More options of the daemon.
    pub options: Vec<String>,
    /// What its environment says besides ours.
    pub environment: Vec<(&'static str, String)>,
    pub guest: PretendedGuest,
    pub disk: FaultyDisk,
}

impl Stage {
    /// A mounted volume that nobody watches yet. `settle` is short: that is the policy's to say.
    pub fn new(fstype: &str) -> Stage {
        Stage::beside(fstype, &[])
    }

    /// The same in a guest that has other disks as well.
    pub fn beside(fstype: &str, others: &[&FaultyDisk]) -> Stage {
        let size = if fstype == "xfs" || fstype == "btrfs" { 512 << 20 } else { 64 << 20 };
        let disk = FaultyDisk::new(size).unwrap();
        let node = disk.device.node().display().to_string();
        harness::program::run(&format!("mkfs.{fstype}"), &["-q", &node]).unwrap();
        let devices = [&disk].into_iter().chain(others.iter().copied()).map(|one| &one.device);
        let guest = PretendedGuest::start(&devices.collect::<Vec<_>>()).unwrap();
        guest.run(&format!("mkdir {AT} && mount -t {fstype} {node} {AT}")).unwrap();
        let (options, environment) = (Vec::new(), Vec::new());
        let stage = Stage { daemon: None, options, environment, guest, disk };
        stage.configure("[recovery]\nsettle = \"1s\"\n");
        stage
    }

    /// The configuration of the guest.
    pub fn configure(&self, text: &str) {
        fs::write(self.guest.within("/etc/xvdguard/config.toml"), text).unwrap();
    }

    /// Starts the daemon, and waits until it knows the volume and its super block.
    pub fn watch(&mut self) {
        self.start_daemon();
        self.until("the daemon knows the volume", |stage| {
            let volume = &stage.memory()["volumes"][0];
            (volume["state"] == "healthy" && !volume["identity"].is_null()).then_some(())
        });
    }

    /// Starts the daemon.
    pub fn start_daemon(&mut self) {
        let log = self.guest.within("/run/daemon.log");
        let log = fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let mut command = self.guest.command(programs::xvdguard());
        command
            .arg("daemon")
            .args(&self.options)
            .env_remove("JOURNAL_STREAM")
            .envs(self.environment.iter().cloned())
            .stdout(Stdio::null())
            .stderr(log);
        self.daemon = Some(Helper::start(command).unwrap());
    }

    /// kill -9, as the memory killer would.
    pub fn kill_daemon(&mut self) {
        let pid = self.daemon_pid();
        self.guest.run(&format!("kill -9 {pid}")).unwrap();
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// The daemon's process, as the guest counts.
    pub fn daemon_pid(&self) -> u64 {
        self.until("the daemon has a state", |stage| stage.state()["pid"].as_u64())
    }

    /// Waits until the daemon has ended by itself.
    #[track_caller]
    pub fn until_daemon_ends(&self) {
        self.until("the daemon has ended", |stage| {
            stage.daemon.as_ref()?.has_ended().then_some(())
        });
    }

    /// A command of xvdguard's, run inside to its end.
    pub fn xvdguard(&self, arguments: &[&str]) -> Ran {
        let mut command = self.guest.command(programs::xvdguard());
        command.args(arguments);
        programs::run(command, SOON).unwrap()
    }

    /// What the daemon said on standard error.
    pub fn said(&self) -> String {
        fs::read_to_string(self.guest.within("/run/daemon.log")).unwrap_or_default()
    }

    fn document(&self, name: &str) -> Value {
        let text = fs::read_to_string(self.guest.within(&format!("/run/xvdguard/{name}.json")));
        serde_json::from_str(&text.unwrap_or_default()).unwrap_or_default()
    }

    /// What the daemon remembers.
    pub fn memory(&self) -> Value {
        self.document("memory")
    }

    /// What the daemon shows.
    pub fn state(&self) -> Value {
        self.document("status")
    }

    /// The health of the volume, as the daemon shows it.
    pub fn health(&self) -> String {
        self.state()["volumes"][0]["health"].as_str().unwrap_or_default().to_owned()
    }

    /// The health of what is mounted there.
    pub fn health_of(&self, mount_point: &str) -> String {
        let state = self.state();
        let mut volumes = state["volumes"].as_array().into_iter().flatten();
        let one = volumes.find(|volume| volume["mount_point"] == mount_point);
        one.and_then(|volume| volume["health"].as_str()).unwrap_or_default().to_owned()
    }

    /// Waits until something is so.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut look: impl FnMut(&Stage) -> Option<T>) -> T {
        let seen = deadline::seen(SOON, || look(self));
        seen.unwrap_or_else(|| {
            panic!(
                "not within {SOON:?}: {what}\nthe daemon said:\n{}\nand remembers:\n{:#}",
                self.said(),
                self.memory()
            )
        })
    }

    /// Waits until the daemon says that the volume is so.
    #[track_caller]
    pub fn until_health(&self, health: &str) {
        self.until(health, |stage| (stage.health() == health).then_some(()));
    }

    /// Whether the volume takes a new file, written to the disk.
    pub fn takes_writes(&self) -> bool {
        let line = format!(
            "mountpoint -q {AT} && rm -f {AT}/.new && echo new >{AT}/.new && sync {AT}/.new"
        );
        self.guest.run(&line).is_ok()
    }

    /// The storage refuses everything until the journal is dead, and answers again.
    pub fn outage(&self) {
        self.begin_outage();
        self.disk.storage.heal().unwrap();
    }

    /// The storage refuses everything; returns when the daemon knows that the file system is dead.
    pub fn begin_outage(&self) {
        self.begin_outage_until("aborted");
    }

    /// The same, where the daemon makes something else of a dead file system.
    pub fn begin_outage_until(&self, health: &str) {
        self.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
        self.until("the file system is dead, and the daemon sees it", |stage| {
            stage.guest.stir(AT);
            (stage.health() == health).then_some(())
        });
    }

    /// Puts a script in the place of a program that the recovery executes. The real one is
    /// `/run/programs/NAME.real` then.
    pub fn put_program(&self, name: &str, script: &str) {
        let real = harness::program::find(name).unwrap();
        let real = real.display();
        self.guest
            .run(&format!("mkdir -p /run/programs && cp {real} /run/programs/{name}.real"))
            .unwrap();
        let path = self.guest.within(&format!("/run/programs/{name}"));
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        let bind = "/run/programs/mount.real";
        let bind = if name == "mount" { bind } else { "mount" };
        let line =
            format!("chmod 755 /run/programs/{name} && {bind} --bind /run/programs/{name} {real}");
        self.guest.run(&line).unwrap();
    }

    /// From now on a check of a file system waits for `let_check_go_on`.
    pub fn make_checks_wait(&self) {
        let wait = "echo run >>/run/checks; while [ ! -e /run/go-on ]; do sleep 0.05; done";
        self.put_program("e2fsck", &format!("{wait}; exec /run/programs/e2fsck.real \"$@\""));
    }

    /// Waits until one has begun.
    #[track_caller]
    pub fn until_check_runs(&self) {
        self.until("the check runs", |stage| stage.guest.run("test -s /run/checks").ok());
    }

    /// Lets it go on, which nobody has killed meanwhile.
    pub fn let_check_go_on(&self) {
        self.guest.run("pgrep -f e2fsck >/dev/null && : >/run/go-on").unwrap();
    }

    /// A file of the guest, whole.
    pub fn put_file(&self, path: &str, content: &str) {
        fs::write(self.guest.within(path), content).unwrap();
    }

    /// The evidence bundles that are kept in that folder, parsed.
    pub fn bundles(&self, folder: &str) -> Vec<Value> {
        let Ok(files) = fs::read_dir(self.guest.within(folder)) else { return Vec::new() };
        let texts = files.filter_map(|file| fs::read_to_string(file.ok()?.path()).ok());
        texts.filter_map(|text| serde_json::from_str(&text).ok()).collect()
    }

    /// A program that runs inside until the test is over.
    pub fn start(&self, line: &str) -> Helper {
        let mut command: Command = self.guest.command("sh");
        command.args(["-c", line]).stdout(Stdio::null()).stderr(Stdio::null());
        Helper::start(command).unwrap()
    }
}
