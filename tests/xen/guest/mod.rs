//! What runs in a tiny guest: this program as PID 1 of a root in memory (`build/guest.rs`).
//!
//! It does what an initramfs and the first seconds of a system do: loads the drivers, waits for the
//! disks, runs `xvdguard-early`, mounts, writes. What it saw goes to the console as one line of
//! JSON. Then it waits to be destroyed, so that the host can look at its half. For a story it
//! becomes `agent` instead, after xvdguard has run. Never judges.

mod disk;
mod machine;

use std::env;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use harness::failure::{Failure, Result, Tried};
use serde_json::{Value, json};

use disk::Disk;

/// Where dom0 keeps what the guest prints.
pub const CONSOLE: &str = "/var/log/xen/console/guest-bed.log";
/// Where dom0 takes the image that a Debian guest has made itself.
pub const IMAGE_OF_ITS_OWN: &str = "/run/own-initrd";
/// Where dom0 makes an image in which something is broken.
pub const BROKEN_IMAGE: &str = "/run/broken-initrd";
/// What stands before the report on its line.
pub const REPORT: &str = "xvdguard-bed-report ";
/// The line behind the report.
pub const END: &str = "xvdguard-bed-end";
/// How a line begins with which the guest gives up.
pub const TROUBLE: &str = "xvdguard-bed-trouble ";
/// The first argument of a guest that xvdguard protects.
pub const GUARDED: &str = "guarded";
/// The argument of a guest that does what it is told.
pub const SERVED: &str = "served";
/// The argument of one whose root is its first disk.
pub const OWN_ROOT: &str = "own-root";
/// Where the program lies that does it, and the shell that runs it.
pub const AGENT: &str = "/agent";
/// What makes its first disk the guest's root, and the init on it.
pub const TO_OWN_ROOT: &str = "/own-root";
pub const OWN_INIT: &str = "/own-init";
pub const BUSYBOX: &str = "/bin/busybox";
/// How the argument begins that says what each disk is for, in their order: one argument for all,
/// since a kernel takes 32 at most (CONFIG_INIT_ENV_ARG_LIMIT), and short, since Xen cuts off a
/// command line after 1023 bytes (MAX_GUEST_CMDLINE).
pub const DISKS: &str = "disks:";
/// How the argument begins that is a line of the policy.
pub const POLICY: &str = "policy:";
/// Where `xvdguard-early` lies in the guest.
pub const EARLY: &str = "/xvdguard-early";

/// Where `xvdguard-early` leaves options for the root file system.
const OPTIONS: &str = "/run/options";

/// Does everything, says what was seen, and never returns: a PID 1 may not end.
pub fn main() -> ! {
    if env::args().any(|word| word == SERVED) {
        serve();
    }
    let line = match report() {
        Ok(report) => format!("{REPORT}{report}\n{END}"),
        Err(failure) => format!("{TROUBLE}{failure}"),
    };
    say(&line);
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// The tool of the agent's scripts: small synced writes, each a new file whose name begins with
/// `path`, until one fails. Prints how many succeeded, and why no more did.
pub fn write(path: &str, count: &str) -> ExitCode {
    let Ok(count) = count.parse::<u64>() else { return ExitCode::FAILURE };
    let (mut written, mut error) = (0, None);
    while written < count && error.is_none() {
        match disk::write_one(PathBuf::from(format!("{path}-{written}"))) {
            Ok(()) => written += 1,
            Err(failed) => error = Some(failed),
        }
    }
    let error = error.map(|error| format!(" {error}")).unwrap_or_default();
    say(&format!("{written}{error}"));
    ExitCode::SUCCESS
}

/// The console is this program's standard output.
fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Boots as far as xvdguard, then becomes the agent, or the init of a root of its own, which never
/// end.
fn serve() {
    let words: Vec<String> = env::args().skip(1).collect();
    let next = if words.iter().any(|word| word == OWN_ROOT) { TO_OWN_ROOT } else { AGENT };
    let error = match boot() {
        Ok(_) => Command::new(BUSYBOX).args(["sh", next]).args(words).exec().to_string(),
        Err(failure) => failure.to_string(),
    };
    say(&format!("{TROUBLE}{error}"));
}

/// What an initramfs does: the disks, and what xvdguard said of them.
fn boot() -> Result<(Vec<Disk>, Value)> {
    machine::mount_kernel_file_systems()?;
    machine::load_modules(Path::new("/modules"))?;
    let words: Vec<String> = env::args().skip(1).collect();
    let roles = words.iter().find_map(|word| word.strip_prefix(DISKS)).unwrap_or_default();
    let disks: Vec<Disk> = roles.split(',').enumerate().filter_map(Disk::placed).collect();
    machine::wait_for(&disks.iter().map(Disk::node).collect::<Vec<_>>())?;
    say("disks are there");
    if let Some(line) = words.iter().find_map(|word| word.strip_prefix(POLICY)) {
        machine::write("/etc/xvdguard/frozen.policy", &format!("xvdguard-policy=1\n{line}\n"))?;
    }
    let early = if words.iter().any(|word| word == GUARDED) { early()? } else { Value::Null };
    Ok((disks, early))
}

fn report() -> Result<Value> {
    let (mut disks, early) = boot()?;
    disks.iter_mut().try_for_each(Disk::note_flushes)?;
    let options = machine::read(OPTIONS).unwrap_or_default();
    say("before the first mount");
    play(&mut disks, &options);
    say("after the last unmount");
    let document = machine::read("/run/xvdguard/early.json").unwrap_or_default();
    Ok(json!({
        "release": machine::read("/proc/sys/kernel/osrelease")?,
        "early": early,
        "options": options,
        "document": serde_json::from_str::<Value>(&document).unwrap_or(Value::Null),
        "disks": disks.iter().map(Disk::seen).collect::<Vec<_>>(),
        "log": machine::kernel_log()?,
    }))
}

/// All at once, as a system does; under emulation also because they mostly wait.
fn play(disks: &mut [Disk], options: &str) {
    thread::scope(|scope| {
        for disk in disks {
            scope.spawn(move || disk.play(options));
        }
    });
}

/// Runs `xvdguard-early` as a hook of an initramfs does.
fn early() -> Result<Value> {
    let mut early = Command::new(EARLY);
    early.args(["boot", "--format", "plain", "-o", OPTIONS]);
    let begin = Instant::now();
    let output = early.output().tried("run xvdguard-early")?;
    let took = begin.elapsed();
    let code = output.status.code();
    let code = code.ok_or_else(|| Failure::new("xvdguard-early was ended by a signal"))?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(json!({ "code": code, "ms": took.as_millis() as u64, "said": said }))
}
