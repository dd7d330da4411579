//! Where partitions begin, on storage that cares.
//!
//! DRBD 8.0 to 8.3 cannot split a request of several pages that crosses one of its 32 KiB slots
//! (drbd_req.c "bio would need to, but cannot, be split"). LVM or dm above it hands it requests of
//! up to 4 KiB, which cross a slot only where a partition begins off 4 KiB.

use alloc::format;
use alloc::vec::Vec;

use super::setup::Partition;
use super::{Case, Hit, Rule, Severity};
use crate::text::Text;
use crate::vbd::backend_kind::Storage;
use crate::wording::audit::Said;
use crate::wording::audit::alignment as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "partition-off-4k",
        severity: Severity::Warning,
        meaning: say::PARTITION_OFF_4K,
        look: off_4k,
    },
    Rule {
        id: "partition-off-32k",
        severity: Severity::Info,
        meaning: say::PARTITION_OFF_32K,
        look: off_32k,
    },
];

/// Sectors of 512 bytes in 4 KiB and in 32 KiB.
const IN_4K: u64 = 8;
const IN_32K: u64 = 64;

fn off_4k(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |start| start % IN_4K != 0, say::off_4k)
}

fn off_32k(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |start| start % IN_32K != 0 && start % IN_4K == 0, say::off_32k)
}

fn hits(case: &Case<'_>, is_off: fn(u64) -> bool, say: fn(u64, &str) -> Said) -> Vec<Hit> {
    let used = used(case);
    let partitions = case.setup.partitions.iter();
    let off = partitions.filter(|one| is_off(one.start_sectors));
    let off = off.filter(|one| used.contains(&one.name));
    let hit = |one: &Partition| {
        let disk = case.seen.disk(&one.disk)?;
        let kind = disk.backend_kind();
        let may_be_drbd = match &kind.storage {
            Some(Storage::Drbd(_) | Storage::Lvm(_)) => true,
            Some(Storage::Iscsi(_)) => false,
            None => kind.driver.is_empty() || kind.driver == "phy",
        };
        let said = || say(one.start_sectors, &format!("{kind}"));
        may_be_drbd.then(|| Hit::new(format!("{}", one.name), said()))
    };
    off.filter_map(hit).collect()
}

/// Every device below a mounted file system or swap space. What nobody uses, as the partition that
/// a BIOS boots from, sends no requests.
fn used(case: &Case<'_>) -> Vec<Text> {
    let mounted = case.seen.volumes.iter().map(|volume| volume.device_name.clone());
    let swaps = case.setup.swaps.iter();
    let swaps = swaps.filter_map(|path| Some(path.as_bytes().strip_prefix(b"/dev/")?.into()));
    let mut used: Vec<Text> = mounted.chain(swaps).collect();
    let mut next = 0;
    while let Some(name) = used.get(next) {
        let below = case.seen.block.by_name(name).map(|device| device.below.clone());
        let new = below.unwrap_or_default().into_iter().filter(|name| !used.contains(name));
        used.extend(new.collect::<Vec<_>>());
        next += 1;
    }
    used
}
