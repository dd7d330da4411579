//! What `status` and `probe` say about a disk.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::kernel_version::KernelVersion;
use crate::policy::word::Word;
use crate::policy::{Origin, Policy};
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;
use crate::volume::Volume;
use crate::wording::untested;

/// Name, verdict and reason in columns, then what serves it.
pub fn disk(report: &DiskReport, name_width: usize) -> String {
    let DiskReport { name, verdict, reason, backend_kind, .. } = report;
    let name = name.to_string();
    format!("{name:name_width$}  {verdict:12}  {reason} ({backend_kind})")
}

/// What a person chose, where that is not the default.
pub fn policy(policy: &Policy) -> Option<String> {
    let barrier = &policy.barrier;
    match &policy.inert {
        Some(word) => Some(format!("\"{word}\" on the kernel command line: nothing is done")),
        None if barrier.origin == Origin::Default => None,
        None => Some(format!("barrier mode {}, by {}", barrier.value.word(), barrier.origin)),
    }
}

/// Said where somebody asks for flushes that the mode would not send.
pub fn probed_all_the_same(policy: &Policy) -> Option<String> {
    let barrier = &policy.barrier;
    let mode = barrier.value.word();
    (!barrier.value.probes()).then(|| {
        format!("barrier mode {mode}, by {}: flushed all the same, since you ask", barrier.origin)
    })
}

/// What the verdict means and what to do about it; empty where nothing is to be done.
pub fn advice(report: &DiskReport, kernel: Option<KernelVersion>) -> Option<String> {
    let aborts = kernel.is_none_or(KernelVersion::aborts_on_failed_flush);
    let text = match report.verdict {
        FlushVerdict::Refused | FlushVerdict::SwitchedOff if report.switched_off_by_us => {
            "xvdguard set write_cache to write through: file systems live, but after a power loss \
             of the host the last writes may be lost"
        }
        FlushVerdict::Refused if aborts => {
            "not flushed any more; file systems live while write_cache is write through"
        }
        FlushVerdict::Refused => {
            "not flushed any more, and the kernel does not show it; no journal aborts"
        }
        FlushVerdict::Failing | FlushVerdict::Lost => {
            "not flushed until the vbd reconnects. Do: let the host detach and attach it, migrate \
             the guest (6.11+), or reboot"
        }
        FlushVerdict::SwitchedOff => {
            "not flushed: after a power loss of the host the last writes may be lost"
        }
        FlushVerdict::Untested => return Some(untested::remedy(&report.name, report.untested)),
        FlushVerdict::Absent | FlushVerdict::Off | FlushVerdict::Proven => return None,
    };
    Some(text.into())
}

/// Nobody watches.
pub const NO_DAEMON: &str = "no daemon runs: volumes are not watched";

/// The line of a volume, with its health where somebody watches it.
pub fn volume(volume: &Volume, health: Option<&str>) -> String {
    let disks: Vec<String> = volume.disks.iter().map(ToString::to_string).collect();
    let health = health.map(|health| format!("  {health}")).unwrap_or_default();
    let (at, fstype) = (&volume.mount_point, &volume.fstype);
    format!("{at}{health}  {fstype} on {}", disks.join(", "))
}
