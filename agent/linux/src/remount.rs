//! Changing the barrier option of a mounted ext3 or ext4, with everything else as it is.
//!
//! remount replaces all flags of mount and super block (mount(2)), so those in force are given
//! again. Done in a child: it writes to the journal. Never on a read-only mount, never where the
//! file system has counted errors: an aborted journal must not be remounted read-write.
//! Tests: `tests/plan/`.

use std::time::Instant;

use rustix::io::Errno;
use rustix::mount::{MountFlags, mount_remount};
use xvdguard_logic::effect::Outcome;
use xvdguard_logic::mountinfo::{self, Mount};
use xvdguard_logic::plan::Remount;
use xvdguard_logic::wording::apply as wording;

use crate::child::{self, Ending, Task};
use crate::error::{Error, Result};
use crate::root::Root;

/// Flags of one mount, as mountinfo shows them (fs/proc_namespace.c show_mnt_opts).
const OF_THE_MOUNT: [(&str, MountFlags); 6] = [
    ("nosuid", MountFlags::NOSUID),
    ("nodev", MountFlags::NODEV),
    ("noexec", MountFlags::NOEXEC),
    ("noatime", MountFlags::NOATIME),
    ("nodiratime", MountFlags::NODIRATIME),
    ("relatime", MountFlags::RELATIME),
];

/// Flags of the super block (fs/proc_namespace.c show_sb_opts).
const OF_THE_SUPER_BLOCK: [(&str, MountFlags); 4] = [
    ("sync", MountFlags::SYNCHRONOUS),
    ("dirsync", MountFlags::DIRSYNC),
    ("mand", MountFlags::PERMIT_MANDATORY_FILE_LOCKING),
    ("lazytime", MountFlags::LAZYTIME),
];

/// Gives the file system the option, and looks whether the kernel took it.
pub fn remount(root: &Root, wanted: &Remount, deadline: Instant) -> Result<Outcome> {
    let failed = |why: String| Error::content("remount", wanted.mount_point.clone(), why);
    let mount = find(root, wanted)?;
    if is_so(&mount, wanted) {
        return Ok(Outcome::AlreadySo);
    }
    if let Some(why) = obstacle(root, &mount, wanted) {
        return Err(failed(why));
    }
    let waited_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    let task: Task<'_> = Box::new(|| in_child(&mount, Remount::option(wanted.barrier)));
    match child::run(task, deadline)? {
        Ending::Answered(answer) => check(&answer, wanted)?,
        Ending::Silent => {
            return Err(Error::timed_out("remount", wanted.mount_point.clone(), waited_ms));
        }
        Ending::Died => return Err(failed(wording::NO_ANSWER.into())),
    }
    match is_so(&find(root, wanted)?, wanted) {
        true => Ok(Outcome::Done),
        false => Err(failed(wording::OPTION_IGNORED.into())),
    }
}

/// The mount as it is now: the last one there covers the others.
fn find(root: &Root, wanted: &Remount) -> Result<Mount> {
    let (mounts, _) = mountinfo::parse(&root.read(b"proc/self/mountinfo")?);
    let mut here = mounts.into_iter().filter(|mount| mount.mount_point == wanted.mount_point);
    let gone = || Error::content("remount", wanted.mount_point.clone(), wording::MOUNTED_OTHERWISE);
    here.next_back().filter(|mount| mount.device == wanted.device).ok_or_else(gone)
}

fn is_so(mount: &Mount, wanted: &Remount) -> bool {
    mount.is_without_barriers() != wanted.barrier
}

fn obstacle(root: &Root, mount: &Mount, wanted: &Remount) -> Option<String> {
    if !mount.is_writable() {
        return Some(wording::READ_ONLY.into());
    }
    let path = format!("sys/fs/ext4/{}/errors_count", wanted.device_name);
    let errors = root.read_text(path.as_bytes()).ok()??.number().filter(|errors| *errors > 0)?;
    Some(wording::counted_errors(errors))
}

fn flags(mount: &Mount) -> MountFlags {
    let of_mount = OF_THE_MOUNT.iter().filter(|(word, _)| mount.has_option(word));
    let of_super = OF_THE_SUPER_BLOCK.iter().filter(|(word, _)| mount.has_super_option(word));
    let flags: MountFlags = of_mount.chain(of_super).map(|(_, flag)| *flag).collect();
    // Without a word about access times a remount would choose relatime.
    let is_strict = !flags.intersects(MountFlags::NOATIME | MountFlags::RELATIME);
    if is_strict { flags | MountFlags::STRICTATIME } else { flags }
}

/// Answers with the errno, 0 for success.
fn in_child(mount: &Mount, option: &str) -> Vec<u8> {
    let path = mount.mount_point.as_bytes();
    let result = mount_remount(path, flags(mount), option);
    result.map_or_else(Errno::raw_os_error, |()| 0).to_string().into_bytes()
}

fn check(answer: &[u8], wanted: &Remount) -> Result<()> {
    let errno = std::str::from_utf8(answer).ok().and_then(|text| text.parse().ok());
    match errno.unwrap_or(Errno::IO.raw_os_error()) {
        0 => Ok(()),
        errno => Err(Error::from_errno("remount", wanted.mount_point.clone(), errno)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags_of(line: &str) -> MountFlags {
        flags(&mountinfo::parse(line.as_bytes()).0[0])
    }

    #[test]
    fn every_flag_in_force_is_given_again() {
        let line = "1 0 202:0 / / rw,nosuid,nodev,noatime,nodiratime - ext4 /dev/xvda rw,dirsync";
        let expected = MountFlags::NOSUID
            | MountFlags::NODEV
            | MountFlags::NOATIME
            | MountFlags::NODIRATIME
            | MountFlags::DIRSYNC;
        assert_eq!(flags_of(line), expected);
        let line = "1 0 202:0 / / rw - ext3 /dev/xvda rw,sync,errors=remount-ro";
        assert_eq!(flags_of(line), MountFlags::STRICTATIME | MountFlags::SYNCHRONOUS);
        let line = "1 0 202:0 / / rw,relatime - ext3 /dev/xvda rw,lazytime,mand";
        let expected =
            MountFlags::RELATIME | MountFlags::LAZYTIME | MountFlags::PERMIT_MANDATORY_FILE_LOCKING;
        assert_eq!(flags_of(line), expected);
    }
}
