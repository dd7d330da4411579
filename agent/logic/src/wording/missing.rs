//! What the daemon, its keeper or a recovery will have to do without: what is so, what that costs,
//! what to do.

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

/// No keeper was forked.
pub fn keeper(why: &dyn Display) -> String {
    format!("{why}: nothing would reboot this guest. Do: free memory, then {RESTART}")
}

/// A file that the keeper holds open could not be opened.
pub fn keeper_file(path: &str, why: &dyn Display) -> String {
    let (cost, remedy) = match path {
        "dev/kmsg" => (
            "a reboot would not be announced in the kernel log",
            "see that devtmpfs is mounted on /dev",
        ),
        "proc/sysrq-trigger" => (
            "a reboot that hangs could not be forced by sysrq",
            "mount /proc read-write; a kernel without CONFIG_MAGIC_SYSRQ needs none",
        ),
        "proc/diskstats" => {
            ("an orderly shutdown gets no extra time while disks are still written", "mount /proc")
        }
        _ => ("a hold could not stop a keeper that is alone", "mount a tmpfs on /run"),
    };
    format!("{why}: {cost}. Do: {remedy}, then {RESTART}")
}

/// Root lies on more disks than the keeper can hold.
pub fn wide_root(disks: usize, most: usize) -> String {
    format!(
        "the root file system lies on {disks} disks, of which the keeper watches {most} at most: \
         nothing would reboot this guest if this daemon were killed while root is dead. Do: move \
         root to {most} disks or fewer"
    )
}

/// A program that a recovery executes is nowhere.
pub fn program(name: &str) -> String {
    let (cost, package) = match name {
        "e2fsck" => ("ext3 and ext4 volumes cannot be checked, and are left to you", "e2fsprogs"),
        "systemctl" => ("the users of a volume cannot be stopped", "systemd"),
        _ => ("nothing that was unmounted could be mounted again", "mount or util-linux"),
    };
    format!("there is no {name}: {cost}. Do: install the package {package}")
}

/// `/proc/self/oom_score_adj` was not written.
pub fn oom_score(why: &dyn Display) -> String {
    format!(
        "cannot write /proc/self/oom_score_adj: {why}: the kernel may kill this daemon to get \
         memory. Do: let it keep CAP_SYS_RESOURCE, or set OOMScoreAdjust=-900 in its unit"
    )
}

/// PR_SET_IO_FLUSHER was refused.
pub fn io_flusher(why: &dyn Display) -> String {
    format!(
        "cannot become an I/O flusher (PR_SET_IO_FLUSHER): {why}: a request for memory may wait \
         for a sick disk. Do: nothing on a kernel before 5.6; else let it keep CAP_SYS_RESOURCE"
    )
}

/// mlock(2) was refused.
pub fn locked(why: &dyn Display) -> String {
    format!(
        "cannot lock the memory of this process: {why}: with a dead root it may hang in a page \
         fault, and its keeper alone would reboot. Do: let it keep CAP_IPC_LOCK, or set \
         LimitMEMLOCK=64M in its unit"
    )
}

/// Mountinfo cannot be polled.
pub fn mounts(why: &dyn Display) -> String {
    format!("{why}: what is mounted is looked at with each tick only. Do: mount /proc")
}

/// FAN_FS_ERROR is not to be had.
pub fn error_events(why: &dyn Display) -> String {
    format!(
        "{why}: file system errors are seen in the kernel log and in counters only. Do: nothing on \
         a kernel before 5.16 or without CONFIG_FANOTIFY; else let it keep CAP_SYS_ADMIN"
    )
}

/// The kernel's block events cannot be listened to.
pub fn block_events(why: &dyn Display) -> String {
    format!(
        "{why}: a disk that appears is seen with the next mount or line of the kernel only. Do: \
         allow AF_NETLINK to this daemon"
    )
}

/// inotify has no room, or is not to be had.
pub fn files(why: &dyn Display) -> String {
    format!(
        "cannot watch files (inotify): {why}: hold, release and a new configuration are seen with \
         the next tick or SIGHUP only. Do: raise fs.inotify.max_user_instances (sysctl)"
    )
}

/// A folder cannot be watched.
pub fn folder(folder: &str, why: &dyn Display) -> String {
    let remedy = match folder.contains("/etc/xvdguard") {
        true => "mkdir -p /etc/xvdguard/config.d, then systemctl restart xvdguard",
        false => "raise fs.inotify.max_user_watches (sysctl), then systemctl restart xvdguard",
    };
    format!("cannot watch {folder}: {why}: what changes there is not seen by itself. Do: {remedy}")
}

const RESTART: &str = "systemctl restart xvdguard";

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn whatever_is_missing_has_a_remedy() {
        let why = &"EPERM";
        let files = ["dev/kmsg", "proc/sysrq-trigger", "proc/diskstats", "run"];
        let mut said: Vec<String> = files.map(|path| keeper_file(path, why)).into();
        said.extend(["e2fsck", "mount", "systemctl"].map(program));
        said.extend([keeper, oom_score, io_flusher, locked, mounts].map(|one| one(why)));
        said.extend([error_events, block_events, super::files].map(|one| one(why)));
        said.extend(["/etc", "/etc/xvdguard"].map(|path| folder(path, why)));
        for line in said {
            let (what, remedy) = line.split_once(". Do: ").unwrap();
            assert!(what.contains(": ") && !remedy.is_empty() && !line.contains("  "), "{line}");
        }
    }
}
