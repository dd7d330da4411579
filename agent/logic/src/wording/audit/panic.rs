//! What is said of panics and watchdogs that end a guest in an outage.

use alloc::format;

use super::Said;
use crate::audit::setup::Watchdog;

/// `hung-task-panic`
pub const HUNG_TASK_PANIC: &str = "a storage stall of some minutes makes the kernel panic";
/// `panic-on-warn`
pub const PANIC_ON_WARN: &str =
    "a mere warning of the kernel, as I/O errors can cause, makes it panic";
/// `panic-on-pause`
pub const PANIC_ON_PAUSE: &str = "a guest that is paused or short of CPU for some seconds panics";
/// `panic-on-nmi`
pub const PANIC_ON_NMI: &str = "an NMI that the host sends for a dump makes the kernel panic";
/// `panic-on-oops`
pub const PANIC_ON_OOPS: &str = "an oops of one process makes the kernel panic";
/// `xen-watchdog-too-short`
pub const XEN_WATCHDOG_TOO_SHORT: &str =
    "the Xen watchdog bites before the host's storage fails over";
/// `watchdog-too-short`
pub const WATCHDOG_TOO_SHORT: &str = "a watchdog bites before the host's storage fails over";

const CRASH: &str = "A panic is a crash to the host, also where kernel.panic asks for a reboot, \
    and its default is to destroy the guest (on_crash)";

/// `kernel.hung_task_panic`.
pub fn hung_task(name: &str, timeout_s: u64) -> Said {
    Said::new(
        format!(
            "{name} is on: while the host's storage fails over, processes wait for their disk, \
             and after {timeout_s} s of that the kernel panics. The stall would have healed by \
             itself. {CRASH}"
        ),
        format!("set {name} = 0"),
    )
}

/// `kernel.panic_on_warn`.
pub fn on_warn(name: &str) -> Said {
    Said::new(
        format!(
            "{name} is on: the kernel panics at its own warnings, and file systems give such \
             warnings when a disk answers with errors. {CRASH}"
        ),
        format!("set {name} = 0"),
    )
}

/// `kernel.softlockup_panic` and its like.
pub fn on_pause(name: &str) -> Said {
    Said::new(
        format!(
            "{name} is on: a guest that the host pauses, saves or migrates looks locked up to \
             itself, and panics when it runs again. {CRASH}"
        ),
        format!("set {name} = 0"),
    )
}

/// `kernel.panic_on_unrecovered_nmi` and its like.
pub fn on_nmi(name: &str) -> Said {
    Said::new(
        format!("{name} is on: an NMI from the host (xl trigger) makes the kernel panic. {CRASH}"),
        format!("leave it where dumps are wanted; else set {name} = 0"),
    )
}

/// `kernel.panic_on_oops`.
pub fn on_oops(name: &str) -> Said {
    Said::new(
        format!("{name} is on, as some distributions have it. {CRASH}"),
        "let the host's configuration say on_crash = \"restart\"",
    )
}

/// The driver that asks the hypervisor to watch.
pub fn xen_watchdog(watchdog: &Watchdog, timeout_s: u64, fail_over_s: u64) -> Said {
    Said::new(
        format!(
            "\"{}\" is armed with {timeout_s} s. A fail-over of the host's storage may take \
             {fail_over_s} s; what feeds the watchdog may wait for a disk as long. Then the \
             hypervisor ends the guest, and the host's default is to destroy it (on_watchdog)",
            watchdog.identity
        ),
        format!(
            "let the host's configuration say on_watchdog = \"restart\", and raise the timeout \
             above {fail_over_s} s (RuntimeWatchdogSec, or the watchdog daemon's own setting)"
        ),
    )
}

/// Any other driver.
pub fn watchdog(watchdog: &Watchdog, timeout_s: u64, fail_over_s: u64) -> Said {
    Said::new(
        format!(
            "\"{}\" is armed with {timeout_s} s. A fail-over of the host's storage may take \
             {fail_over_s} s; what feeds the watchdog may wait for a disk as long. Then the guest \
             is reset in the middle of an outage that would have healed",
            watchdog.identity
        ),
        format!(
            "raise the timeout above {fail_over_s} s (RuntimeWatchdogSec, or the watchdog daemon's \
             own setting)"
        ),
    )
}
