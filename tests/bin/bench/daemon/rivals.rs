//! What else keeps watch in guests: monit, watchdog, earlyoom and qemu-ga, as Debian has them.
//!
//! Unpacked into a folder in memory, never installed, and told to act on nothing. One that cannot
//! be had or does not start is named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use harness::failure::{Result, Tried};
use harness::helper::Helper;
use harness::program;

use crate::bench::Bench;

/// Those that run.
pub struct Rivals {
    pub running: Vec<(&'static str, Helper, u32)>,
    missing: Vec<&'static str>,
}

impl Rivals {
    /// A sentence about those that do not.
    pub fn missing(&self) -> String {
        match self.missing.is_empty() {
            true => String::new(),
            false => format!(" Not to be had here: {}.", self.missing.join(", ")),
        }
    }
}

/// Package, program, and arguments; `@` is the folder.
const ALL: [(&str, &str, &[&str]); 4] = [
    ("monit", "usr/bin/monit", &["-I", "-c", "@/monitrc"]),
    ("watchdog", "usr/sbin/watchdog", &["-F", "--no-action", "-c", "@/watchdog.conf"]),
    ("earlyoom", "usr/bin/earlyoom", &["-r", "0", "--dryrun"]),
    (
        "qemu-guest-agent",
        "usr/sbin/qemu-ga",
        &["-m", "unix-listen", "-p", "@/ga.sock", "-t", "@", "-f", "@/ga.pid"],
    ),
];
const FILES: [(&str, &str); 2] = [
    ("monitrc", "set daemon 30\nset logfile /dev/null\ncheck filesystem root with path /\n"),
    ("watchdog.conf", "interval = 30\nfile = /etc/fstab\nlog-dir = @\n"),
];

/// Starts what can be started.
pub fn start(bench: &Bench) -> Rivals {
    let mut rivals = Rivals { running: Vec::new(), missing: Vec::new() };
    for (package, path, arguments) in ALL {
        let folder = bench.within(&format!("rival-{package}"));
        match begin(package, &folder, path, arguments) {
            Ok(helper) => {
                let pid = helper.pid().as_raw_nonzero().get() as u32;
                rivals.running.push((package, helper, pid));
            }
            Err(_) => rivals.missing.push(package),
        }
    }
    thread::sleep(Duration::from_secs(5));
    let (running, ended): (Vec<_>, Vec<_>) =
        std::mem::take(&mut rivals.running).into_iter().partition(|(_, _, pid)| is_alive(*pid));
    rivals.running = running;
    rivals.missing.extend(ended.iter().map(|(name, _, _)| *name));
    rivals
}

fn begin(package: &str, folder: &Path, path: &str, arguments: &[&str]) -> Result<Helper> {
    let shown = folder.display().to_string();
    let unpack = format!(
        "mkdir -p {shown} && cd {shown} && apt-get -qq download {package} && \
         dpkg-deb --extract {package}_*.deb ."
    );
    program::run("sh", &["-c", &unpack])?;
    for (name, content) in FILES {
        let file = folder.join(name);
        let written = fs::write(&file, content.replace('@', &shown));
        // monit reads no file that others may read.
        let hidden =
            written.and_then(|()| fs::set_permissions(&file, fs::Permissions::from_mode(0o600)));
        hidden.tried(format_args!("write {}", file.display()))?;
    }
    let mut command = Command::new(folder.join(path));
    command.args(arguments.iter().map(|one| one.replace('@', &shown)));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Helper::start(command)
}

fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}
