//! A guest in which programs run as on a machine of its own, without `--root`.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::blkback::refuse_flushes;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::guest::Guest;
use harness::guest_xenstore::VbdSpec;
use harness::mount::Mounted;
use harness::programs::{self, Ran};
use harness::requires::{self, Met};
use harness::{namespace, program};
use rustix::process::{chdir, chroot};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(40);

/// Where the guest's programs find xenstored and the kernel log.
const SOCKET: &str = "/run/xenstored-socket";
const LOG: &str = "/run/kernel-log";

/// A guest that runs. Fields are dropped from the top, as it has to be.
pub struct Machine {
    volumes: Vec<Mounted>,
    _shown: Vec<Mounted>,
    pub guest: Guest,
}

/// What these tests need; call it first, it makes the mounts of this thread private.
#[track_caller]
pub fn ready(fstype: &str) -> Option<Met> {
    requires::faulty_disk(fstype)?;
    requires::xenstored()?;
    requires::program("ldd")?;
    namespace::enter_private_mounts().unwrap();
    Some(Met)
}

impl Machine {
    /// With one disk for each type, `xvda`, `xvdb`, …, not mounted, and this configuration.
    pub fn new(fstypes: &[&str], config: &str) -> Machine {
        let mut guest = Guest::new().unwrap();
        for fstype in fstypes {
            guest.add_disk(FaultyDisk::formatted(fstype).unwrap(), &VbdSpec::default()).unwrap();
        }
        guest.root.write("etc/xvdguard/config.toml", config).unwrap();
        guest.root.write(LOG, "6,0,0,-;Linux version 5.10.0-30-amd64\n").unwrap();
        guest.root.write(SOCKET, "").unwrap();
        install(&programs::path("xvdguard").unwrap(), &guest.root.within("xvdguard"));
        let shown = vec![
            Mounted::bind(guest.store.socket(), &guest.root.within(SOCKET)).unwrap(),
            Mounted::bind(Path::new("/proc"), &guest.root.within("proc")).unwrap(),
        ];
        let machine = Machine { volumes: Vec::new(), _shown: shown, guest };
        machine.install_libraries();
        machine
    }

    /// Libraries lie where the loader of the machine looks for them.
    fn install_libraries(&self) {
        let mut ldd = Command::new("ldd");
        ldd.arg(programs::path("xvdguard").unwrap()).env_remove("LD_LIBRARY_PATH");
        let listed = program::output(&mut ldd).unwrap();
        let words = listed.split_whitespace().filter(|word| word.starts_with('/'));
        for library in words.map(PathBuf::from) {
            install(&library, &self.guest.root.within(&library.to_string_lossy()));
        }
    }

    /// Mounts a disk.
    pub fn mount(&mut self, index: usize, mount_point: &str, fstype: &str, options: &str) {
        let target = self.guest.root.within(mount_point);
        self.volumes.push(self.guest.disks[index].mount(&target, fstype, options).unwrap());
    }

    pub fn write_fstab(&self, text: &str) {
        self.guest.root.write("etc/fstab", text).unwrap();
    }

    pub fn fstab(&self) -> String {
        self.guest.root.read("etc/fstab").unwrap()
    }

    /// Mount options and super options of a mount point, as the kernel shows them.
    pub fn options(&self, mount_point: &str) -> (Vec<String>, Vec<String>) {
        let path = self.guest.root.within(mount_point);
        let path = path.to_string_lossy();
        let mountinfo = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
        let line = mountinfo.lines().find(|line| line.split(' ').nth(4) == Some(&path)).unwrap();
        let split = |options: &str| options.split(',').map(str::to_owned).collect();
        (split(line.split(' ').nth(5).unwrap()), split(line.split(' ').next_back().unwrap()))
    }

    /// Whether a mounted file system sends no flush.
    pub fn is_without_barriers(&self, mount_point: &str) -> bool {
        self.options(mount_point).1.iter().any(|option| option == "nobarrier")
    }

    /// Runs `xvdguard` inside.
    pub fn run(&self, words: &[&str]) -> Ran {
        let root = self.guest.root.path().to_owned();
        let mut command = Command::new("/xvdguard");
        command.args(["--xenstore", SOCKET, "--kernel-log", LOG]).args(words);
        command.env_remove("LD_LIBRARY_PATH");
        let enter = move || -> io::Result<()> {
            chroot(&root)?;
            Ok(chdir("/")?)
        };
        // SAFETY: between fork and exec two system calls with paths that are there already.
        unsafe { command.pre_exec(enter) };
        programs::run(command, LIMIT).unwrap()
    }

    /// Runs it and compares the exit code; returns what it printed.
    #[track_caller]
    pub fn ends_with(&self, code: i32, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.code, Some(code), "{words:?}: {}{}", ran.out(), ran.err());
        ran.out() + &ran.err()
    }

    /// The document of a run.
    #[track_caller]
    pub fn document(&self, word: &str) -> Value {
        let ran = self.run(&["--json", word]);
        serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }

    /// Lets the backend of a disk refuse a flush, and take every later one, which blkfront would
    /// no longer send.
    pub fn refuse(&self, index: usize) {
        let (disk, key) = (&self.guest.disks[index], self.guest.flush_key(index));
        let probed = refuse_flushes(&disk.storage, &self.guest.store, &key, || {
            self.run(&["probe"]);
        });
        probed.unwrap();
        disk.storage.set(Fault::Fsync(Answer::Ok)).unwrap();
    }

    /// Gives the disk another backend, which can flush, and proves it.
    pub fn reconnect(&self, index: usize) {
        let number = 51712 + 16 * index as u32;
        let frontend = VbdSpec { number, ..VbdSpec::default() }.frontend();
        self.guest.store.write(&self.guest.flush_key(index), "1").unwrap();
        self.guest.store.write(&format!("{frontend}/event-channel"), "77").unwrap();
        self.ends_with(0, &["probe"]);
    }
}

fn install(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}
