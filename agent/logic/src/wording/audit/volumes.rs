//! Lines of fstab as a whole, and file systems that carry recorded errors.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Said;
use crate::audit::setup::ErrorCount;
use crate::fstab::BrokenLine;
use crate::text::Text;
use crate::wording;

/// `data-volume-without-nofail`
pub const DATA_VOLUME_WITHOUT_NOFAIL: &str =
    "a boot stops where the host does not attach a disk that holds only data";
/// `read-only-disk-mounted-rw`
pub const READ_ONLY_DISK_MOUNTED_RW: &str =
    "fstab wants to write to a disk that the host serves read-only";
/// `file-system-has-errors`
pub const FILE_SYSTEM_HAS_ERRORS: &str = "ext4 has counted errors since the last e2fsck";
/// `fstab-line-broken`
pub const FSTAB_LINE_BROKEN: &str = "a line of fstab that mount(8) cannot read and skips";

/// A data volume without `nofail`.
pub fn without_nofail(mount_point: &Text, disks: &[Text]) -> Said {
    let disks: Vec<String> = disks.iter().map(Text::to_string).collect();
    Said::new(
        format!(
            "{mount_point} lies on {}, apart from root, and has no nofail: when the host does not \
             attach that disk, or it is not mountable, the boot stops in an emergency shell and \
             nobody can log in from outside",
            disks.join(", ")
        ),
        format!(
            "add nofail,x-systemd.device-timeout=30s, and RequiresMountsFor={mount_point} to the \
             services that write there, so that none of them starts on the empty directory"
        ),
    )
}

/// A read-only disk that is to be written to.
pub fn read_only_disk(mount_point: &Text, disk: &Text) -> Said {
    Said::new(
        format!(
            "{mount_point} is to be mounted for writing, and the host serves {disk} read-only. \
             mount(8) falls back to read-only, services fail later, and a journal that must be \
             replayed cannot be: then the mount fails"
        ),
        "say ro in fstab, or let the host serve the disk with mode w",
    )
}

/// Errors in the super block.
pub fn has_errors(count: &ErrorCount, mount_point: Option<&Text>) -> Said {
    let ErrorCount { device, count } = count;
    let remedy = match mount_point {
        Some(root) if *root == "/" => "look at dmesg; then boot once with fsck.mode=force".into(),
        _ => format!("look at dmesg; then stop the users, umount, e2fsck -f /dev/{device}, mount"),
    };
    Said::new(format!("ext4 has counted {count} errors on {device} since the last e2fsck"), remedy)
}

/// A line that is no entry.
pub fn broken_line(line: &BrokenLine) -> Said {
    let why = wording::fstab::flaw(line.flaw);
    Said::new(
        format!("mount(8) skips the line, because {why}: \"{}\"", line.text),
        "correct it, or make a comment of it with #; findmnt --verify looks at the whole file",
    )
}
