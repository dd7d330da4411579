//! This process as a daemon: what the kernel should know of it, and what it will need.

use std::os::unix::fs::MetadataExt;

use rustix::fs::OFlags;
use rustix::io::write;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::missing as wording;

use crate::root::Root;

/// Below sshd (-1000) and above all that holds memory: who is killed to make room helps nobody
/// when the disk comes back.
const OOM_SCORE: &[u8] = b"-900";
/// Where `recover` looks for programs.
const FOLDERS: [&str; 6] =
    ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

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
        missing.push(wording::oom_score(&errno));
    }
    if let Err(errno) = rustix::process::configure_io_flusher_behavior(true) {
        missing.push(wording::io_flusher(&errno));
    }
}

/// Programs that a recovery of these types of file systems would not find, each with a remedy.
pub fn programs_missing<'a>(
    root: &Root,
    fstypes: impl IntoIterator<Item = &'a Text>,
) -> Vec<String> {
    let mut wanted = vec!["mount"];
    if fstypes.into_iter().any(|fstype| *fstype == "ext3" || *fstype == "ext4") {
        wanted.push("e2fsck");
    }
    if root.is_machine() && root.stat(b"run/systemd/system").is_ok() {
        wanted.push("systemctl");
    }
    let is_there = |name: &&str| {
        FOLDERS.iter().any(|folder| root.stat(format!("{folder}/{name}").as_bytes()).is_ok())
    };
    wanted.into_iter().filter(|name| !is_there(name)).map(wording::program).collect()
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
