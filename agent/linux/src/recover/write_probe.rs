//! Whether a volume takes writes: a flush, then a new file, written, synced, gone again.
//!
//! A dead ext4 lets an existing file be opened and written; only a new one touches the journal.
//! The mount is checked through the very descriptor that is used: below a mount point that came
//! off lies a healthy directory of another file system. Runs in a child.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::{Errno, write};
use xvdguard_logic::recovery::effects::{FailureKind, Outcome, Target};
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, refusal};
use crate::error::Error;
use crate::probe::{Method, flush};
use crate::root::Root;

/// What the file is called where it must have a name.
const NAME: &str = ".xvdguard-probe";

/// Tries it.
pub fn probe(root: &Root, target: &Target) -> Result<Outcome, Refusal> {
    let path = super::relative(&target.mount_point);
    let shown = root.shown(path);
    let failed = |tried, errno| refusal(kind(errno), Error::system(tried, shown.clone(), errno));
    let folder = root
        .open(path, OFlags::DIRECTORY | OFlags::RDONLY)
        .map_err(|errno| failed("open", errno))?;
    let is_other = mount_id(root, &folder).is_some_and(|id| id != target.mount_id);
    if is_other || !lies_on(&folder, target) {
        return Err(refusal(FailureKind::Gone, wording::mounted_otherwise(&shown)));
    }
    flush_alone(root, target);
    match write_new(&folder) {
        // A full file system is alive.
        Ok(()) | Err(Errno::NOSPC | Errno::DQUOT) => Ok(Outcome::Done),
        Err(errno) => Err(failed("write a new file below", errno)),
    }
}

/// A flush that the backend refuses kills the journal inside a commit. Alone it hurts nothing, and
/// blkfront sends none after it (blkif_interrupt, drivers/block/xen-blkfront.c, up to 6.10). What
/// else it meets the write meets too. Before 5.1 nothing sends one to a mounted device alone.
fn flush_alone(root: &Root, target: &Target) {
    let _ = flush(root, &target.device_name, target.device, Method::Ranged);
}

/// Whether it is on the device: what kernels without `mnt_id` can be asked. btrfs shows a number
/// there that no device has.
fn lies_on(folder: &OwnedFd, target: &Target) -> bool {
    let number = |stat: fs::Stat| (fs::major(stat.st_dev), fs::minor(stat.st_dev));
    let device = (target.device.major, target.device.minor);
    target.fstype == "btrfs" || fs::fstat(folder).is_ok_and(|stat| number(stat) == device)
}

fn kind(errno: Errno) -> FailureKind {
    match errno {
        Errno::ROFS | Errno::IO | Errno::SHUTDOWN | Errno::UCLEAN => FailureKind::ReadOnly,
        Errno::NOENT | Errno::NOTDIR => FailureKind::Gone,
        _ => FailureKind::Other,
    }
}

/// `mnt_id` of fdinfo (proc(5), 3.15+); none before.
fn mount_id(root: &Root, file: &OwnedFd) -> Option<u32> {
    let path = format!("proc/self/fdinfo/{}", file.as_raw_fd());
    let text = root.read_text(path.as_bytes()).ok()??;
    let line = text.as_str()?.lines().find_map(|line| line.strip_prefix("mnt_id:"))?;
    line.trim().parse().ok()
}

/// Without a name where the file system can (O_TMPFILE, 3.11+): nothing is left if we are killed.
fn write_new(folder: &OwnedFd) -> Result<(), Errno> {
    let mode = Mode::RUSR | Mode::WUSR;
    let nameless = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match fs::openat(folder, ".", nameless, mode) {
        Ok(file) => fill(&file),
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT) => {
            let _ = fs::unlinkat(folder, NAME, AtFlags::empty());
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let file = fs::openat(folder, NAME, flags, mode)?;
            let filled = fill(&file);
            fs::unlinkat(folder, NAME, AtFlags::empty()).and(filled)
        }
        Err(errno) => Err(errno),
    }
}

fn fill(file: &OwnedFd) -> Result<(), Errno> {
    write(file, b"xvdguard asks whether this file system takes writes\n")?;
    fs::fsync(file.as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::MetadataExt;

    /// As on a kernel without `mnt_id`: below this root there is no fdinfo.
    #[test]
    fn what_lies_on_another_device_is_not_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::at(folder.path().as_os_str().as_bytes()).unwrap();
        let number = std::fs::metadata(folder.path()).unwrap().dev();
        let mut target = Target { mount_point: "/".into(), ..Target::default() };
        target.device.major = fs::major(number);
        target.device.minor = fs::minor(number);
        assert!(matches!(probe(&root, &target), Ok(Outcome::Done)));
        target.device.minor += 1;
        assert!(probe(&root, &target).is_err());
        target.fstype = "btrfs".into();
        assert!(matches!(probe(&root, &target), Ok(Outcome::Done)));
    }
}
