//! The error of a write that failed, which the kernel keeps for whoever comes first.

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::libc;

/// Takes it away without a request to the disk. AS_EIO of a block device is given once, to the
/// next who waits for its writes or reads past its cache (mm/filemap.c filemap_check_errors; since
/// 4.17 file_check_and_advance_wb_err, which clears it all the same). Waits for the writes that are
/// under way within these bytes, as the read does after it.
pub fn take(file: BorrowedFd<'_>, at: u64, length: usize) {
    let (at, length) = (at as libc::off64_t, length as libc::off64_t);
    // SAFETY: takes numbers only, and a file that is open. What it answers is not wanted.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), at, length, libc::SYNC_FILE_RANGE_WAIT_BEFORE)
    };
}
