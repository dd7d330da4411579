//! What is said of mount options that do not do what they promise.

use alloc::format;
use alloc::string::String;

use super::Said;
use crate::audit::Origin;
use crate::text::Text;

/// `barrier-off-by-hand`
pub const BARRIER_OFF_BY_HAND: &str =
    "a file system is mounted without barriers although its disks flush";
/// `data-writeback`
pub const DATA_WRITEBACK: &str = "after a crash, files may hold what others had deleted";
/// `errors-continue`
pub const ERRORS_CONTINUE: &str =
    "ext hides its errors, and an aborted journal stops writes all the same";
/// `errors-panic`
pub const ERRORS_PANIC: &str = "an error of one file system makes the whole guest crash";

/// Barriers off where flush is proven.
pub fn barrier_off(origin: Origin, mount_point: &Text) -> Said {
    let remedy: String = match origin {
        Origin::Fstab(_) => {
            format!("take the word out, then: mount -o remount,barrier=1 {mount_point}")
        }
        Origin::Unit { .. } => format!(
            "take the word out, then: systemctl daemon-reload; mount -o remount,barrier=1 \
             {mount_point}"
        ),
        Origin::RootFlags => {
            "take the word out of rootflags= in the boot loader's configuration, then: mount -o \
             remount,barrier=1 /"
                .into()
        }
        Origin::Mounted => format!(
            "mount -o remount,barrier=1 {mount_point}; where it comes back, the super block says \
             so: tune2fs -o ^nobarrier on its device"
        ),
    };
    Said::new(
        format!(
            "{mount_point} is mounted without barriers, and its disks flush as they should: after \
             a power loss of the host the file system may be damaged, for nothing"
        ),
        remedy,
    )
}

/// `data=writeback`; `is_root_line` where fstab says so for `/`.
pub fn data_writeback(is_root_line: bool) -> Said {
    let root = if is_root_line {
        ". On / it is worse: a remount refuses to change the data mode (EINVAL), so root stays \
         read-only after a boot, unless rootflags= or the super block says the same"
    } else {
        ""
    };
    Said::new(
        format!(
            "data=writeback does not help in an outage: an aborted journal is aborted all the \
             same. After a crash, files hold what their blocks held before: other users' deleted \
             data{root}"
        ),
        "take data=writeback out; ordered is the default",
    )
}

/// `errors=continue`.
pub fn errors_continue() -> Said {
    Said::new(
        "errors=continue does not keep the file system writable in an outage: an aborted journal \
         makes it read-only all the same. What it does is go on after damage to the file system \
         itself, which spreads",
        "say errors=remount-ro",
    )
}

/// `errors=panic`.
pub fn errors_panic() -> Said {
    Said::new(
        "errors=panic turns an outage of one disk into a crash of the guest. A panic is a crash to \
         the host, also where kernel.panic asks for a reboot, and its default is to destroy the \
         guest (on_crash)",
        "say errors=remount-ro",
    )
}
