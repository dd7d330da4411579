//! Time-outs, retries and remounts that do nothing.

use alloc::format;

use super::Said;
use crate::text::Text;

/// `timeout-attribute-absent`
pub const TIMEOUT_ATTRIBUTE_ABSENT: &str =
    "something writes a time-out of a Xen disk, which has none";
/// `timeout-sysctl-absent`
pub const TIMEOUT_SYSCTL_ABSENT: &str =
    "a kernel variable for time-outs of disks, which no kernel has";
/// `remount-rw-heals-nothing`
pub const REMOUNT_RW_HEALS_NOTHING: &str =
    "a job remounts file systems read-write, which heals nothing and hides the outage";

const HOST_DECIDES: &str = "remove it. Whether an outage is survived is decided on the host: it \
    must queue (multipath no_path_retry, iSCSI replacement_timeout), not answer with errors";

/// `/sys/block/xvda/device/timeout`.
pub fn attribute(attribute: &str) -> Said {
    Said::new(
        format!(
            "{attribute} does not exist for xvd disks: xen-blkfront waits for its backend without \
             a time-out, and hands an error on at once"
        ),
        HOST_DECIDES,
    )
}

/// A variable that no kernel has.
pub fn sysctl(name: &str) -> Said {
    let name = Text::from(name);
    Said::new(
        format!("no kernel has {name}: Xen's disks have neither time-out nor retries"),
        HOST_DECIDES,
    )
}

/// `mount -o remount,rw`.
pub fn remount() -> Said {
    Said::new(
        "after an aborted journal, mount -o remount,rw returns success and heals nothing (from \
         6.15 on it fails); what is written afterwards is lost, and a monitor believes all is well",
        "remove it. What heals: stop the users, umount, e2fsck -p, mount; for root a reboot",
    )
}
