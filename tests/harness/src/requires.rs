//! What a test needs from the machine, asked at its top:
//! `let Some(_) = requires::root() else { return };`
//!
//! Where it is missing, `SKIPPED <test>: <reason>` goes to standard error past the capture of the
//! test runner, and to the file named by `XVDGUARD_SKIP_LOG`. With `XVDGUARD_FORBID_SKIP` set the
//! test fails instead. Never skips in silence, never installs anything (that is `tests/prepare`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::panic::Location;
use std::path::PathBuf;
use std::thread;

use crate::{program, xenstored};

/// The requirement is met.
#[derive(Debug, Clone, Copy)]
pub struct Met;

/// Root, with the right to mount.
#[track_caller]
pub fn root() -> Option<Met> {
    if !rustix::process::geteuid().is_root() {
        return missing("needs root");
    }
    match capabilities() {
        Some(capabilities) if capabilities >> CAP_SYS_ADMIN & 1 == 1 => Some(Met),
        _ => missing("needs the right to mount (CAP_SYS_ADMIN)"),
    }
}

/// capabilities(7): mount, loop devices, mount namespaces.
const CAP_SYS_ADMIN: u32 = 21;

fn capabilities() -> Option<u64> {
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(effective.trim(), 16).ok()
}

/// FUSE, which the faulty storage is made of.
#[track_caller]
pub fn fuse() -> Option<Met> {
    file_system("fuse")?;
    device("/dev/fuse")
}

/// Loop devices.
#[track_caller]
pub fn loop_devices() -> Option<Met> {
    device("/dev/loop-control")
}

/// Root, FUSE, loop devices, a file system and its mkfs: a disk that fails on command.
#[track_caller]
pub fn faulty_disk(fstype: &str) -> Option<Met> {
    root()?;
    fuse()?;
    loop_devices()?;
    file_system(fstype)?;
    program(&format!("mkfs.{fstype}")).map(|_| Met)
}

/// A file system that the running kernel knows, or whose module it has.
#[track_caller]
pub fn file_system(fstype: &str) -> Option<Met> {
    let is_known = || {
        let known = fs::read_to_string("/proc/filesystems").unwrap_or_default();
        known.lines().any(|line| line.split_whitespace().last() == Some(fstype))
    };
    // As mount(8) would: the kernel lists a module's file system once it is loaded.
    let loads = || program::run("modprobe", &["-q", fstype]).is_ok();
    if is_known() || loads() && is_known() {
        return Some(Met);
    }
    missing(&format!("the kernel knows no file system {fstype}"))
}

/// io_uring, which a probe of a mounted node needs and which containers often forbid.
#[track_caller]
pub fn io_uring() -> Option<Met> {
    // SAFETY: the parameters are valid and zeroed, as io_uring_setup(2) wants them.
    let ring = unsafe { rustix::io_uring::io_uring_setup(1, &mut Default::default()) };
    match ring {
        Ok(_) => Some(Met),
        Err(errno) => missing(&format!("needs io_uring: {errno}")),
    }
}

/// A program of the system.
#[track_caller]
pub fn program(name: &str) -> Option<PathBuf> {
    program::find(name).or_else(|| missing(&format!("needs the program {name}")))
}

/// What `make build` leaves: the programs as they are shipped, and their manual.
#[track_caller]
pub fn built() -> Option<PathBuf> {
    let folder = std::env::var_os("XVDGUARD_BIN_DIR").map(PathBuf::from);
    folder.or_else(|| missing("needs what make build leaves (XVDGUARD_BIN_DIR)"))
}

/// The real xenstored and its clients, as `tests/prepare` installs them.
#[track_caller]
pub fn xenstored() -> Option<Met> {
    match xenstored::installed() {
        Ok(_) => Some(Met),
        Err(failure) => missing(&failure.to_string()),
    }
}

#[track_caller]
fn device(path: &str) -> Option<Met> {
    match File::open(path) {
        Ok(_) => Some(Met),
        Err(error) => missing(&format!("cannot open {path}: {error}")),
    }
}

/// Reports the skip, or fails where skips are forbidden.
#[track_caller]
#[expect(clippy::panic, reason = "a forbidden skip fails the test")]
fn missing<T>(reason: &str) -> Option<T> {
    let line = format!("SKIPPED {}: {reason}\n", test_name(Location::caller()));
    if std::env::var_os("XVDGUARD_FORBID_SKIP").is_some() {
        panic!("XVDGUARD_FORBID_SKIP is set, but: {line}");
    }
    let _ = io::stderr().write_all(line.as_bytes());
    if let Some(log) = std::env::var_os("XVDGUARD_SKIP_LOG") {
        let log = OpenOptions::new().create(true).append(true).open(log);
        let _ = log.and_then(|mut log| log.write_all(line.as_bytes()));
    }
    None
}

/// The runner names a test's thread after the test, but for a single thread, which is "main".
fn test_name(asked: &Location<'_>) -> String {
    match thread::current().name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", asked.file(), asked.line()),
    }
}
