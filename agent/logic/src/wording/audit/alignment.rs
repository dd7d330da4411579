//! What is said of partitions that begin at the wrong place.

use alloc::format;

use super::Said;

/// `partition-off-4k`
pub const PARTITION_OFF_4K: &str =
    "a partition begins off 4 KiB, which DRBD below LVM answers with I/O errors";
/// `partition-off-32k`
pub const PARTITION_OFF_32K: &str =
    "a partition begins off 32 KiB, so requests cross the slots of a DRBD below it";

/// Off 4 KiB.
pub fn off_4k(start_sectors: u64, backend_kind: &str) -> Said {
    Said::new(
        format!(
            "begins at sector {start_sectors}, off 4 KiB, on {backend_kind}. Where DRBD 8.0 to 8.3 \
             lies below LVM on the host, its requests cross DRBD's 32 KiB slots and come back as \
             I/O errors that nothing here explains (the host's log says \"bio would need to, but \
             cannot, be split\"); on 4 KiB disks every write becomes a read and a write"
        ),
        "move the partition to a multiple of 2048 sectors (1 MiB) when the guest is next rebuilt; \
         until then, on the host: DRBD 8.3.11 or newer, or max_sectors_kb = 4 on the disk below \
         DRBD before it is attached",
    )
}

/// Off 32 KiB only.
pub fn off_32k(start_sectors: u64, backend_kind: &str) -> Said {
    Said::new(
        format!(
            "begins at sector {start_sectors}, off 32 KiB, on {backend_kind}. Requests of more \
             than 4 KiB cross the 32 KiB slots of a DRBD below and are split there; that costs \
             time, and no error"
        ),
        "move the partition to a multiple of 2048 sectors (1 MiB) when the guest is next rebuilt",
    )
}
