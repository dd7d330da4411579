//! A system of Debian in a directory: made once, unpacked for each test, gone with it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::mount::Mounted;
use harness::programs::{self, Ran};
use harness::scratch::Scratch;
use harness::{namespace, program, requires};

/// Which system.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// As Debian calls it.
    pub suite: &'static str,
    /// What makes its images: initramfs-tools, or dracut.
    pub generator: &'static str,
}

/// No kernel is booted: all that image makers ask of one is its name, configuration and modules.
const KERNEL: &str = "6.1.0-test";
/// Where the image is.
pub const IMAGE: &str = "boot/initrd.img-6.1.0-test";
/// Downloads included.
const LIMIT: Duration = Duration::from_secs(900);
/// Packages of every system; the last two find out what the image holds and who is running.
const PACKAGES: &str = "busybox,cpio,kmod,sysvinit-utils,udev,zstd";

/// A running test's copy of a system, with its `/proc`.
#[derive(Debug)]
pub struct Chroot {
    _proc: Mounted,
    scratch: Scratch,
    generator: &'static str,
}

impl Chroot {
    /// Unpacks a system; makes it where this has never been done. `None` where it cannot be played.
    #[track_caller]
    pub fn new(system: System) -> Option<Chroot> {
        requires::root()?;
        requires::program("debootstrap")?;
        namespace::enter_private_mounts().unwrap();
        let scratch = Scratch::new(system.suite).unwrap();
        let archive = archive(system);
        if !archive.is_file() {
            make(system, &archive);
        }
        let words = ["-x".as_ref(), "-f".as_ref(), archive.as_os_str(), "-C".as_ref()];
        let target = scratch.path().as_os_str();
        program::output(Command::new("tar").args(words).arg(target)).unwrap();
        let proc = Mounted::new("proc".as_ref(), &scratch.path().join("proc"), "proc", "").unwrap();
        Some(Chroot { _proc: proc, scratch, generator: system.generator })
    }

    /// A path of the system, seen from outside.
    pub fn within(&self, path: &str) -> PathBuf {
        self.scratch.path().join(path)
    }

    /// What systemd 247 has to see before it judges a unit, until they are dropped: the last first.
    pub fn kernel_file_systems(&self) -> [Mounted; 2] {
        let mount = |path: &str, fstype: &str| {
            Mounted::new(fstype.as_ref(), &self.within(path), fstype, "").unwrap()
        };
        let below = mount("sys", "sysfs");
        [mount("sys/fs/cgroup", "cgroup2"), below]
    }

    /// Runs a command line in it.
    pub fn run(&self, line: &str) -> Ran {
        run_in(self.scratch.path(), line)
    }

    /// Runs a command line that must succeed, and returns all that it said.
    #[track_caller]
    pub fn succeed(&self, line: &str) -> String {
        let ran = self.run(line);
        let said = ran.out() + &ran.err();
        assert_eq!(ran.code, Some(0), "{line}: {said}");
        said
    }

    /// The paths of ours in the image.
    pub fn image(&self) -> BTreeSet<String> {
        let lists = if self.generator == "dracut" { "lsinitrd" } else { "lsinitramfs" };
        let listed = self.run(&format!("{lists} /{IMAGE}")).out();
        let paths = listed.lines().filter_map(|line| line.split_whitespace().next_back());
        let ours = paths.filter(|path| path.contains("xvdguard") && path.contains('/'));
        ours.map(str::to_owned).collect()
    }

    /// What compresses the image, by its first bytes.
    pub fn compressor(&self) -> &'static str {
        match fs::read(self.within(IMAGE)).unwrap().get(..4) {
            Some([0x1f, 0x8b, ..]) => "gzip",
            Some([0x28, 0xb5, 0x2f, 0xfd]) => "zstd",
            other => panic!("neither gzip nor zstd: {other:x?}"),
        }
    }

    /// How many bytes it would have, were it compressed by the other of the two.
    pub fn bytes_of_other(&self) -> (&'static str, u64) {
        let other = if self.compressor() == "gzip" { "zstd" } else { "gzip" };
        self.succeed(&match self.generator {
            "dracut" => format!("dracut -q -f --{other} --kver {KERNEL} /tmp/other"),
            _ => format!("mkinitramfs -c {other} -o /tmp/other {KERNEL}"),
        });
        (other, fs::metadata(self.within("tmp/other")).unwrap().len())
    }

    /// How many bytes the image has.
    pub fn image_bytes(&self) -> u64 {
        fs::metadata(self.within(IMAGE)).unwrap().len()
    }

    /// Every path but what package managers, systemd-analyze and the image itself keep of what was.
    pub fn paths(&self) -> BTreeSet<String> {
        let line = "find / -xdev -not -path '/proc*' -not -path '/var/lib/dpkg/*' -not -path \
            '/var/log/*' -not -path '/var/cache/*' -not -path '/tmp*' -not -path '/var/tmp*' \
            -not -path '/run/systemd*'";
        self.succeed(line).lines().map(str::to_owned).collect()
    }
}

/// Where a system is kept: beside the programs.
fn archive(system: System) -> PathBuf {
    let programs = std::env::var_os("XVDGUARD_BIN_DIR").map(PathBuf::from);
    let target = programs.as_deref().and_then(Path::parent).unwrap_or(Path::new("/var/tmp"));
    target.join(format!("chroots/{}-{}.tar", system.suite, system.generator))
}

fn make(system: System, archive: &Path) {
    let System { suite, generator } = system;
    let scratch = Scratch::new("debootstrap").unwrap();
    let root = scratch.path();
    let include = match generator {
        // Its systemd is also the one of the system.
        "dracut" => format!("--include={PACKAGES},systemd-sysv"),
        other => format!("--include={PACKAGES},{other}"),
    };
    let words = ["--variant=minbase".as_ref(), include.as_ref(), suite.as_ref(), root.as_os_str()];
    let mut debootstrap = Command::new("debootstrap");
    debootstrap.args(words);
    expect(programs::run(debootstrap, LIMIT).unwrap());
    // Debian's mark for "start nothing".
    let policy =
        "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod 755 /usr/sbin/*-rc.d";
    let kernel = format!(
        "mkdir -p /lib/modules/{KERNEL} && cd /lib/modules/{KERNEL} && touch modules.order \
         modules.builtin modules.builtin.modinfo modules.dep /boot/vmlinuz-{KERNEL} && \
         printf 'CONFIG_%s=y\\n' BLK_DEV_INITRD RD_GZIP RD_ZSTD >/boot/config-{KERNEL}"
    );
    let image = match generator {
        "dracut" => format!(
            "apt-get install -qy --no-install-recommends dracut && \
             dracut -q -f --kver {KERNEL} /{IMAGE}"
        ),
        _ => format!("update-initramfs -c -k {KERNEL}"),
    };
    for line in [policy, &kernel, &image, "apt-get clean"] {
        expect(run_in(root, line));
    }
    fs::create_dir_all(archive.parent().unwrap()).unwrap();
    let draft = archive.with_extension("draft");
    program::output(Command::new("tar").arg("-cf").arg(&draft).arg("-C").arg(root).arg("."))
        .unwrap();
    fs::rename(draft, archive).unwrap();
}

fn expect(ran: Ran) {
    assert_eq!(ran.code, Some(0), "{}{}", ran.out(), ran.err());
}

fn run_in(root: &Path, line: &str) -> Ran {
    let mut command = Command::new("chroot");
    command.arg(root).args(["/bin/sh", "-c", line]).env_clear();
    command.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
    command.env("LC_ALL", "C");
    programs::run(command, LIMIT).unwrap()
}
