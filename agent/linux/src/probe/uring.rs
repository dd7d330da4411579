//! A flush without write-back: fsync of a range beyond the device's data, through io_uring.
//!
//! fsync(2) on a block device writes its dirty pages back before it flushes (blkdev_fsync,
//! block/fops.c). IORING_OP_FSYNC takes a range (io_uring_enter(2), 5.1+), and beyond the data
//! there is no page to write: only the flush is sent. One ring, one request, no thread of ours.

use std::ffi::c_void;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::io_uring::{
    self as uring, IoringEnterFlags, IoringOp, io_uring_cqe, io_uring_params, io_uring_sqe,
};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Far beyond the end of any device, and `OFFSET + LENGTH` is still a valid loff_t.
const OFFSET: u64 = 1 << 62;
const LENGTH: u32 = 4096;

/// Flushes the device behind `node`. The outer error: this kernel has no such flush (ENOSYS before
/// 5.1, EPERM where kernel.io_uring_disabled or a sandbox forbids it). The inner one is fsync's.
pub fn flush_beyond_data(node: BorrowedFd<'_>) -> Result<Result<(), Errno>, Errno> {
    let ring = Ring::new()?;
    let result = ring.submit(|request| {
        request.opcode = IoringOp::Fsync;
        request.fd = node.as_raw_fd();
        request.off_or_addr2.off = OFFSET;
        request.len.len = LENGTH;
    })?;
    Ok(if result < 0 { Err(Errno::from_raw_os_error(-result)) } else { Ok(()) })
}

/// A ring for one request at a time.
struct Ring {
    fd: OwnedFd,
    params: io_uring_params,
    submission: Mapping,
    completion: Mapping,
    requests: Mapping,
}

impl Ring {
    fn new() -> Result<Ring, Errno> {
        let mut params = io_uring_params::default();
        // SAFETY: params is a valid, zeroed io_uring_params.
        let fd = unsafe { uring::io_uring_setup(1, &mut params) }?;
        let (sq, cq) = (&params.sq_off, &params.cq_off);
        let submission_bytes = sq.array as usize + params.sq_entries as usize * size_of::<u32>();
        let completion_bytes =
            cq.cqes as usize + params.cq_entries as usize * size_of::<io_uring_cqe>();
        let request_bytes = params.sq_entries as usize * size_of::<io_uring_sqe>();
        Ok(Ring {
            submission: Mapping::new(fd.as_fd(), submission_bytes, uring::IORING_OFF_SQ_RING)?,
            completion: Mapping::new(fd.as_fd(), completion_bytes, uring::IORING_OFF_CQ_RING)?,
            requests: Mapping::new(fd.as_fd(), request_bytes, uring::IORING_OFF_SQES)?,
            fd,
            params,
        })
    }

    /// Submits one request, waits for it, returns its result: negative is an errno.
    fn submit(&self, fill: impl FnOnce(&mut io_uring_sqe)) -> Result<i32, Errno> {
        let mut request = io_uring_sqe::default();
        fill(&mut request);
        let sq = &self.params.sq_off;
        // SAFETY: the kernel laid these offsets out inside the mappings; slot 0 exists, and this
        // ring has never been used, so that head, tail and slot are all 0.
        unsafe {
            self.requests.at::<io_uring_sqe>(0).write(request);
            self.submission.at::<u32>(sq.array).write(0);
            (*self.submission.at::<AtomicU32>(sq.tail)).store(1, Ordering::Release);
        }
        loop {
            // SAFETY: no signal mask is passed.
            let entered =
                unsafe { uring::io_uring_enter(&self.fd, 1, 1, IoringEnterFlags::GETEVENTS) };
            match entered {
                Ok(_) => break,
                Err(Errno::INTR) if !self.has_completed() => {}
                Err(Errno::INTR) => break,
                Err(errno) => return Err(errno),
            }
        }
        if !self.has_completed() {
            return Err(Errno::IO);
        }
        // SAFETY: the tail says that the kernel has written completion 0.
        Ok(unsafe { (*self.completion.at::<io_uring_cqe>(self.params.cq_off.cqes)).res })
    }

    fn has_completed(&self) -> bool {
        // SAFETY: the offset is the kernel's, inside the mapping.
        let tail = unsafe { &*self.completion.at::<AtomicU32>(self.params.cq_off.tail) };
        tail.load(Ordering::Acquire) != 0
    }
}

/// A part of the ring that is shared with the kernel.
struct Mapping {
    start: *mut c_void,
    bytes: usize,
}

impl Mapping {
    fn new(ring: BorrowedFd<'_>, bytes: usize, offset: u64) -> Result<Mapping, Errno> {
        let flags = MapFlags::SHARED | MapFlags::POPULATE;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice.
        let start = unsafe { mmap(ptr::null_mut(), bytes, access, flags, ring, offset) }?;
        Ok(Mapping { start, bytes })
    }

    fn at<T>(&self, offset: u32) -> *mut T {
        self.start.wrapping_byte_add(offset as usize).cast()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: mapped by `new`, and nothing points into it any more.
        let _ = unsafe { munmap(self.start, self.bytes) };
    }
}
