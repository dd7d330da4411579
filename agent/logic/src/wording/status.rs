//! What `status` and `probe` say about a disk.

use alloc::format;
use alloc::string::{String, ToString};

use crate::kernel_version::KernelVersion;
use crate::verdict::FlushVerdict;
use crate::verdict::report::DiskReport;

/// Name, verdict and reason in columns, then what serves it.
pub fn disk(report: &DiskReport, name_width: usize) -> String {
    let DiskReport { name, verdict, reason, backend_kind, .. } = report;
    let name = name.to_string();
    format!("{name:name_width$}  {verdict:12}  {reason} ({backend_kind})")
}

/// What the verdict means and what to do about it; empty where nothing is to be done.
pub fn advice(report: &DiskReport, kernel: Option<KernelVersion>) -> Option<String> {
    let aborts = kernel.is_none_or(KernelVersion::aborts_on_failed_flush);
    let text = match report.verdict {
        FlushVerdict::Refused if aborts => {
            "writes are no longer flushed; file systems live as long as write_cache stays at \
             write through"
        }
        FlushVerdict::Refused => {
            "writes are no longer flushed, and the kernel does not show it; no journal aborts"
        }
        FlushVerdict::Failing | FlushVerdict::Lost => {
            "writes are no longer flushed until the vbd reconnects. Do: let the host detach and \
             attach it, migrate the guest (6.11+), or reboot"
        }
        FlushVerdict::SwitchedOff => {
            "writes are not flushed: after a power loss of the host, those that it had not \
             written are lost"
        }
        FlushVerdict::Untested => {
            "nobody knows whether the backend keeps its word. Do: xvdguard probe"
        }
        FlushVerdict::Absent | FlushVerdict::Off | FlushVerdict::Proven => return None,
    };
    Some(text.into())
}
