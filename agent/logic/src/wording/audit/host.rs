//! Files of a host.

use alloc::format;

use super::Said;
use crate::text::Text;

/// `guest-config-timeout`
pub const GUEST_CONFIG_TIMEOUT: &str =
    "a guest's configuration has time-out words that no toolstack knows";
/// `guest-config-preserve`
pub const GUEST_CONFIG_PRESERVE: &str =
    "a guest's configuration leaves a dead guest lying instead of starting it again";
/// `guest-disk-attached-by-script`
pub const GUEST_DISK_ATTACHED_BY_SCRIPT: &str =
    "a job on the host attaches disks to running guests, which brings no lost disk back";
/// `iscsi-path-loss-unseen`
pub const ISCSI_PATH_LOSS_UNSEEN: &str =
    "the iSCSI initiator notices a dead path only after many seconds";

/// `timeout=300,retry=10` in a disk's line.
pub fn guest_timeout(word: &str) -> Said {
    Said::new(
        format!(
            "\"{word}=\" is no word of xl's for disks or devices: it is refused, or goes unread; a \
             guest's disk has no time-out that could be set"
        ),
        "remove it. Let the storage below queue while it fails over (multipath no_path_retry, \
         iSCSI replacement_timeout)",
    )
}

/// `on_crash = "preserve"`.
pub fn guest_preserve(name: &str) -> Said {
    Said::new(
        format!(
            "{name} = \"preserve\": the domain stays as it ended, holding its memory and its \
             disks, until somebody destroys it by hand"
        ),
        match name {
            "on_poweroff" => "on_poweroff = \"destroy\", the default".into(),
            _ => {
                format!("{name} = \"restart\"; \"coredump-restart\" where the cause is looked for")
            }
        },
    )
}

/// `xm block-attach` in a job.
pub fn attached_by_script() -> Said {
    Said::new(
        "block-attach does not bring back a disk that a guest has lost: its file system stays as \
         it is, and where the same storage is attached a second time two of them write to it",
        "remove it. Let the storage queue while it fails over; a guest that has lost its root must \
         be rebooted",
    )
}

/// `noop_out_timeout = 120`.
pub fn iscsi_slow(name: &str, seconds: u64) -> Said {
    let name = Text::from(name);
    Said::new(
        format!(
            "{name} = {seconds}: a dead path is noticed that much later, and every guest on it \
             stalls as long, before the fail-over even begins"
        ),
        "leave noop_out_interval and noop_out_timeout at 5; what a guest survives by is \
         replacement_timeout, or queueing in multipath",
    )
}
