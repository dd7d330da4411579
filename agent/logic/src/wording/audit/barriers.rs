//! What the backends do with flushes.

use alloc::format;
use alloc::string::String;

use super::Said;
use crate::kernel_version::KernelVersion;
use crate::verdict::report::DiskReport;
use crate::wording;

/// `write-back-after-failure`
pub const WRITE_BACK_AFTER_FAILURE: &str =
    "a disk whose flush failed is told to flush again: the next commit aborts";
/// `flush-failing`
pub const FLUSH_FAILING: &str =
    "the backend answers flushes with an error, and none is sent any more";
/// `flush-lost`
pub const FLUSH_LOST: &str =
    "the backend offers flushes and the guest sends none, since one failed";
/// `flush-refused`
pub const FLUSH_REFUSED: &str = "the backend offers flushes and refuses them";
/// `write-through-by-hand`
pub const WRITE_THROUGH_BY_HAND: &str =
    "somebody switched flushes off on a disk where none has failed";
/// `flush-untested`
pub const FLUSH_UNTESTED: &str = "nobody has proved that the backend flushes";

const PRICE: &str = "after a power loss of the host the last writes may be lost, and file systems \
    with them";

/// Verdict `failing`.
pub fn failing(disk: &DiskReport, kernel: Option<KernelVersion>) -> Said {
    let text = format!("{}. None is sent since: {PRICE}", disk.reason);
    Said::new(text, heals("let the host's storage be repaired, then ", kernel))
}

/// Verdict `lost`.
pub fn lost(disk: &DiskReport, kernel: Option<KernelVersion>) -> Said {
    Said::new(format!("{}: {PRICE}", disk.reason), heals("", kernel))
}

/// Verdict `refused`.
pub fn refused(disk: &DiskReport, kernel: Option<KernelVersion>) -> Said {
    let aborts = kernel.is_none_or(KernelVersion::aborts_on_failed_flush);
    let now = match (disk.switched_off_by_us, aborts) {
        (true, _) => "xvdguard has switched them off, so no journal aborts",
        (false, true) => "Journals live while queue/write_cache reads write through",
        (false, false) => "This kernel sends none any more, and no journal aborts",
    };
    Said::new(
        format!("{} ({}). {now}, but {PRICE}", disk.reason, disk.backend_kind),
        "let the host serve this disk by something that flushes: a newer DRBD or blkback, a volume \
         that is no DRBD 8.3, qdisk. Then detach and attach it, or reboot",
    )
}

/// What brings flushes back: the disk must reconnect. Up to 6.10 a migration renegotiates but
/// leaves write_cache as it was.
fn heals(before: &str, kernel: Option<KernelVersion>) -> String {
    let aborts = kernel.is_none_or(KernelVersion::aborts_on_failed_flush);
    let migration =
        if aborts { " (up to 6.10 a migration does not help)" } else { ", migrate the guest" };
    let ways = if aborts {
        format!("let the host detach and attach it, or reboot{migration}")
    } else {
        format!("let the host detach and attach it{migration}, or reboot")
    };
    format!("{before}{ways}; then xvdguard probe")
}

/// Verdict `untested`.
pub fn untested(disk: &DiskReport) -> Said {
    let advice = wording::untested::remedy(&disk.name, disk.untested);
    let (what, remedy) = advice.split_once(" Do: ").unwrap_or((&*advice, "xvdguard probe"));
    Said::new(format!("{}: {}", what.trim_end_matches('.'), disk.reason), remedy)
}

/// `write through` that nobody needed.
pub fn by_hand(disk: &DiskReport) -> Said {
    Said::new(
        format!("{}: {PRICE}", disk.reason),
        format!(
            "find who writes queue/write_cache (udev rules, rc.local, tuned) and take that out; \
             then, as no flush has failed: echo \"write back\" > /sys/block/{}/queue/write_cache",
            disk.name
        ),
    )
}

/// `write back` after a failure.
pub fn write_back(disk: &DiskReport) -> Said {
    Said::new(
        format!(
            "a flush of this disk failed, so blkfront answers every further one with EIO, and yet \
             queue/write_cache reads \"write back\": the next commit aborts the journal of each \
             file system on {}",
            disk.name
        ),
        format!("at once: echo \"write through\" > /sys/block/{}/queue/write_cache", disk.name),
    )
}
