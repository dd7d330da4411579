//! What a line of the kernel means: a matcher for each row of
//! `agent/logic/data/kernel-messages.tsv`.
//!
//! Each is written by hand and anchored at the start of the line, so that the same words inside
//! another message are nothing; nothing is allocated, and a line is never read twice. A device
//! never comes out of the name of a task or file, which anybody may choose. The patterns of the
//! table are the specification: `tests/matcher/` holds these functions against them.

pub mod blkfront;
mod block;
mod btrfs;
mod cursor;
mod ext3;
mod ext4;
mod found;
mod ids;
mod jbd;
mod others;
mod paths;
pub mod words;
mod xfs;
mod xfs_26;

pub use found::{Capture, Match};
pub use ids::{Id, Severity, Subsystem};

/// What `line` says: the kernel's text without time stamp, level or host.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    by_first_byte(line).or_else(|| words::find(line))
}

fn by_first_byte(line: &[u8]) -> Option<Match<'_>> {
    match line.first()? {
        b'A' => jbd::find_abort(line),
        b'B' => btrfs::find(line).or_else(|| block::find_buffer(line)),
        b'E' => ext4::find(line)
            .or_else(|| ext3::find(line))
            .or_else(|| others::find_jfs(line))
            .or_else(|| xfs_26::find_recovered(line)),
        b'F' => others::find_f2fs(line).or_else(|| xfs_26::find_named(line)),
        b'I' => block::find_request(line)
            .or_else(|| xfs_26::find_buffer(line))
            .or_else(|| others::find_hung_task(line)),
        b'J' => jbd::find_named(line),
        b'N' => others::find_nilfs(line),
        b'P' => xfs_26::find_please(line),
        b'R' => ext3::find_nameless(line)
            .or_else(|| others::find_reiserfs(line))
            .or_else(|| block::find_swap(line)),
        b'S' => blkfront::find_of_vbd(line),
        b'U' => others::find_unknown_parameters(line),
        b'W' => block::find_swap(line),
        b'X' => xfs::find(line),
        b'b' => blkfront::find(line)
            .or_else(|| block::find_update_request(line))
            .or_else(|| btrfs::find(line))
            .or_else(|| blkfront::find_of_vbd(line))
            .or_else(|| others::find_drbd(line))
            .or_else(|| paths::find_drbd(line)),
        b' ' => paths::find_iscsi(line),
        _ => by_small_letter(line),
    }
}

fn by_small_letter(line: &[u8]) -> Option<Match<'_>> {
    match line.first()? {
        b'c' => block::find_request(line).or_else(|| paths::find_iscsi(line)),
        b'i' | b'k' | b'n' | b'o' | b't' | b'z' => block::find_request(line),
        b'd' => block::find_request(line)
            .or_else(|| others::find_drbd(line))
            .or_else(|| paths::find_drbd(line))
            .or_else(|| paths::find_multipath(line)),
        b'e' => block::find_end_request(line).or_else(|| ext3::find_nameless(line)),
        b'j' => jbd::find_commit(line),
        b'l' => btrfs::find_lost(line)
            .or_else(|| block::find_lost_page(line))
            .or_else(|| others::find_jfs_log(line)),
        b'p' => block::find_print_req_error(line).or_else(|| block::find_request(line)),
        b'r' => others::find_reiserfs_barrier(line).or_else(|| block::find_request(line)),
        b's' => blkfront::find(line)
            .or_else(|| paths::find_iscsi(line))
            .or_else(|| paths::find_scsi(line)),
        b'v' => blkfront::find_of_vbd(line),
        b'x' => xfs_26::find_force_shutdown(line).or_else(|| blkfront::find_of_vbd(line)),
        _ => None,
    }
}
