//! This process as a daemon: what the kernel should know of it, and what it will need.

use std::os::unix::fs::MetadataExt;

use rustix::fs::OFlags;
use rustix::io::write;

use crate::root::Root;

/// Below sshd (-1000) and above all that holds memory: who is killed to make room helps nobody
/// when the disk comes back.
const OOM_SCORE: &[u8] = b"-900";
/// What a recovery executes, by file system or always.
const PROGRAMS: [&str; 2] = ["e2fsck", "mount"];
const FOLDERS: [&str; 4] = ["usr/sbin", "sbin", "usr/bin", "bin"];

/// Tells the kernel that memory which this process asks for must not wait for a sick disk
/// (PR_SET_IO_FLUSHER, 5.6+), and that it is not to be killed first.
pub fn prepare(root: &Root, missing: &mut Vec<String>) {
    if !root.is_machine() {
        return;
    }
    let score = root
        .open(b"proc/self/oom_score_adj", OFlags::WRONLY)
        .and_then(|file| write(file, OOM_SCORE));
    if let Err(errno) = score {
        missing.push(format!("cannot write /proc/self/oom_score_adj: {errno}"));
    }
    if let Err(errno) = rustix::process::configure_io_flusher_behavior(true) {
        missing.push(format!("cannot become an I/O flusher (PR_SET_IO_FLUSHER): {errno}"));
    }
}

/// Programs that a recovery would not find.
pub fn programs_missing(root: &Root) -> Vec<String> {
    let is_there = |name: &&str| {
        FOLDERS.iter().any(|folder| root.stat(format!("{folder}/{name}").as_bytes()).is_ok())
    };
    let missing = PROGRAMS.iter().filter(|name| !is_there(name));
    missing.map(|name| format!("there is no {name}")).collect()
}

/// Whether this is somebody else's machine: a container (systemd(1) leaves a mark there), or a
/// root directory that is not PID 1's.
pub fn is_contained(root: &Root) -> bool {
    if !root.is_machine() {
        return false;
    }
    let id = |path: &str| std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()));
    let has_other_root = match (id("/"), id("/proc/1/root/")) {
        (Some(ours), Some(its)) => ours != its,
        _ => false,
    };
    has_other_root || root.stat(b"run/systemd/container").is_ok()
}
