//! Panics and watchdogs: what makes an outage that would have healed the end of the guest.
//!
//! A guest that panics reports a crash to its host, whatever `kernel.panic` says
//! (arch/x86/xen/enlighten.c xen_panic_event); the host's default for on_crash and on_watchdog is
//! `destroy` (xl.cfg(5)).

use alloc::vec::Vec;

use super::setup::{Sysctl, Watchdog};
use super::{Case, Hit, Rule, Severity};
use crate::wording::audit::panic as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "hung-task-panic",
        severity: Severity::Warning,
        meaning: say::HUNG_TASK_PANIC,
        look: hung_task_panic,
    },
    Rule {
        id: "panic-on-warn",
        severity: Severity::Warning,
        meaning: say::PANIC_ON_WARN,
        look: panic_on_warn,
    },
    Rule {
        id: "panic-on-pause",
        severity: Severity::Warning,
        meaning: say::PANIC_ON_PAUSE,
        look: panic_on_pause,
    },
    Rule {
        id: "panic-on-nmi",
        severity: Severity::Info,
        meaning: say::PANIC_ON_NMI,
        look: panic_on_nmi,
    },
    Rule {
        id: "panic-on-oops",
        severity: Severity::Info,
        meaning: say::PANIC_ON_OOPS,
        look: panic_on_oops,
    },
    Rule {
        id: "xen-watchdog-too-short",
        severity: Severity::Warning,
        meaning: say::XEN_WATCHDOG_TOO_SHORT,
        look: xen_watchdog,
    },
    Rule {
        id: "watchdog-too-short",
        severity: Severity::Warning,
        meaning: say::WATCHDOG_TOO_SHORT,
        look: other_watchdog,
    },
];

/// What a host's storage may take to fail over, in seconds: the default of iSCSI's
/// replacement_timeout (iscsid.conf), which is longer than that of multipath.
pub(super) const FAIL_OVER_S: u64 = 120;

fn hung_task_panic(case: &Case<'_>) -> Vec<Hit> {
    let timeout_s = live(case, "kernel.hung_task_timeout_secs");
    if timeout_s == Some(0) {
        return Vec::new();
    }
    let timeout_s = timeout_s.map_or(FAIL_OVER_S, i64::unsigned_abs);
    enabled(case, &["kernel.hung_task_panic"], |sysctl| say::hung_task(&sysctl.name, timeout_s))
}

fn panic_on_warn(case: &Case<'_>) -> Vec<Hit> {
    enabled(case, &["kernel.panic_on_warn"], |sysctl| say::on_warn(&sysctl.name))
}

fn panic_on_pause(case: &Case<'_>) -> Vec<Hit> {
    let names = ["kernel.softlockup_panic", "kernel.panic_on_rcu_stall"];
    enabled(case, &names, |sysctl| say::on_pause(&sysctl.name))
}

fn panic_on_nmi(case: &Case<'_>) -> Vec<Hit> {
    let names =
        ["kernel.panic_on_unrecovered_nmi", "kernel.panic_on_io_nmi", "kernel.unknown_nmi_panic"];
    enabled(case, &names, |sysctl| say::on_nmi(&sysctl.name))
}

fn panic_on_oops(case: &Case<'_>) -> Vec<Hit> {
    enabled(case, &["kernel.panic_on_oops"], |sysctl| say::on_oops(&sysctl.name))
}

fn xen_watchdog(case: &Case<'_>) -> Vec<Hit> {
    too_short(case, is_xen, say::xen_watchdog)
}

fn other_watchdog(case: &Case<'_>) -> Vec<Hit> {
    too_short(case, |watchdog| !is_xen(watchdog), say::watchdog)
}

/// As drivers/watchdog/xen_wdt.c names it.
fn is_xen(watchdog: &Watchdog) -> bool {
    watchdog.identity.contains("Xen")
}

fn too_short(
    case: &Case<'_>,
    wanted: fn(&Watchdog) -> bool,
    say: fn(&Watchdog, u64, u64) -> crate::wording::audit::Said,
) -> Vec<Hit> {
    if !case.is_guest() {
        return Vec::new();
    }
    let armed = case.setup.watchdogs.iter().filter(|one| one.is_armed == Some(true) && wanted(one));
    let short = armed.filter_map(|one| Some((one, one.timeout_s.filter(|s| *s < FAIL_OVER_S)?)));
    short
        .map(|(one, timeout_s)| {
            let place = alloc::format!("/sys/class/watchdog/{}", one.name);
            Hit::new(place, say(one, timeout_s, FAIL_OVER_S))
        })
        .collect()
}

/// The kernel's own word about a variable.
fn live(case: &Case<'_>, name: &str) -> Option<i64> {
    let mut found = case.setup.sysctls.iter();
    found.find(|sysctl| sysctl.is_live && sysctl.name == name).map(|sysctl| sysctl.value)
}

/// Those of `names` that are not 0: the file that says so where one does, else the kernel's own
/// word. A file counts also where the kernel says otherwise: the next boot reads it.
fn enabled(
    case: &Case<'_>,
    names: &[&str],
    say: impl Fn(&Sysctl) -> crate::wording::audit::Said,
) -> Vec<Hit> {
    if !case.may_be_guest() {
        return Vec::new();
    }
    let setup = case.setup;
    let last = |name: &&str| {
        let of_name = || setup.sysctls.iter().filter(|sysctl| sysctl.name == *name);
        let by_file = of_name().rfind(|sysctl| !sysctl.is_live);
        let by_kernel = of_name().find(|sysctl| sysctl.is_live);
        by_file.filter(|sysctl| sysctl.value != 0).or(by_kernel).filter(|sysctl| sysctl.value != 0)
    };
    names.iter().filter_map(last).map(|sysctl| Hit::new(&*sysctl.place, say(sysctl))).collect()
}
