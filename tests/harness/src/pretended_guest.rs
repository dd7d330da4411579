//! A process tree that takes this machine for a Xen guest whose virtual disks are loop devices.
//!
//! It has namespaces of its own for mounts and processes: `/sys` names the loop devices as vbds,
//! `/run` and `/var/lib` are empty memory, `/etc` a copy, PID 1 is a shell that does nothing,
//! reboot(2) ends this tree only, and `/proc/sysrq-trigger` and `/dev/pts` are plain files and
//! folders: nothing in it can reach the real ones. Kernel, disks, file systems, mounts and kernel
//! log are real. Dropping it ends every process in it, and with them its mounts.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::deadline;
use crate::failure::{Failure, Result, Tried};
use crate::helper::Helper;
use crate::loop_device::LoopDevice;
use crate::program;
use crate::scratch::Scratch;

/// A running one.
#[derive(Debug)]
pub struct PretendedGuest {
    init: Helper,
    /// Its PID 1, as this machine counts.
    pid: i32,
    _stage: Scratch,
}

/// Everything is mounted within moments.
const STARTS_WITHIN: Duration = Duration::from_secs(20);

/// Run by `unshare`, as PID 1 of the new tree, with an empty folder and then names of loop devices.
/// It refuses to begin where the real sysrq could still be reached.
const INIT: &str = r#"set -eu
mount --make-rprivate /
mount -t proc proc /proc
stage=$1
shift
mount -t tmpfs tmpfs "$stage"
mkdir "$stage/sys"
mount --rbind /sys "$stage/sys"
mount -t tmpfs tmpfs /sys
for entry in "$stage"/sys/*; do
    name=${entry##*/}
    [ "$name" != bus ] || continue
    if [ -d "$entry" ]; then mkdir "/sys/$name" && mount --rbind "$entry" "/sys/$name"; fi
done
mkdir -p /sys/bus/xen/devices /sys/hypervisor/properties
echo xen >/sys/hypervisor/type
echo PV >/sys/hypervisor/guest_type
echo aeb329f7-6d7a-4164-ba74-1b6e5bd7036d >/sys/hypervisor/uuid
number=51728
for name in "$@"; do
    mkdir -p "/sys/bus/xen/devices/vbd-$number/block/$name"
    number=$((number + 16))
done
: >"$stage/sysrq"
[ ! -e /proc/sysrq-trigger ] || mount --bind "$stage/sysrq" /proc/sysrq-trigger
for folder in /run /var/lib /dev/pts; do mount -t tmpfs tmpfs "$folder"; done
mkdir -p /run/xvdguard
cp -a /etc "$stage/etc"
mount --bind "$stage/etc" /etc
mkdir -p /etc/xvdguard/config.d
: >/etc/fstab
[ ! -e /proc/sysrq-trigger ] || [ "$(stat -fc %T /proc/sysrq-trigger)" = tmpfs ]
trap '' INT TERM HUP
echo ready
while :; do sleep 1000 & wait $! || true; done
"#;

impl PretendedGuest {
    /// Starts one with these disks.
    pub fn start(disks: &[&LoopDevice]) -> Result<PretendedGuest> {
        let stage = Scratch::new("pretended")?;
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", INIT, "init"])
            .arg(stage.path())
            .args(disks.iter().map(|disk| disk.name()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut init = Helper::start(command)?;
        let mut said = String::new();
        let output = init.take_output()?;
        BufReader::new(output).read_line(&mut said).tried("hear from the pretended guest")?;
        if said.trim_end() != "ready" {
            return Err(Failure::new(format!("the pretended guest did not start: {said}")));
        }
        let unshare = init.pid().as_raw_nonzero();
        let children = format!("/proc/{unshare}/task/{unshare}/children");
        let pid = deadline::seen(STARTS_WITHIN, || {
            std::fs::read_to_string(&children).ok()?.split_whitespace().next()?.parse().ok()
        });
        let pid = pid.ok_or_else(|| Failure::new("the pretended guest has no PID 1"))?;
        Ok(PretendedGuest { init, pid, _stage: stage })
    }

    /// A command that will run inside.
    pub fn command(&self, name: impl AsRef<Path>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--target={}", self.pid))
            .args(["--mount", "--pid", "--"])
            .arg(name.as_ref())
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// Gives the journal of a mounted file system something to commit; `folder` is a shell word.
    /// No new file: its directory, once it could not be written back, would have to be read, and a
    /// read that fails kills no journal.
    pub fn stir(&self, folder: &str) {
        let _ = self.run(&format!("touch {folder}; sync {folder}"));
    }

    /// Runs a line of shell inside, and returns what it prints.
    pub fn run(&self, line: &str) -> Result<String> {
        program::output(self.command("sh").args(["-c", line]))
    }

    /// A path inside, as this machine reaches it.
    pub fn within(&self, path: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/root", self.pid)).join(path.trim_start_matches('/'))
    }

    /// Whether its PID 1 is still alive: reboot(2) ends it.
    pub fn is_up(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    /// What was written to `/proc/sysrq-trigger`.
    pub fn sysrq(&self) -> String {
        std::fs::read_to_string(self.within("proc/sysrq-trigger")).unwrap_or_default()
    }

    /// Ends it now.
    pub fn end(&mut self) {
        self.init.kill();
    }
}
