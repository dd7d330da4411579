//! The three files as FUSE wants them: names, attributes, and where each request goes.
//!
//! All three bypass the page cache, so that every request of the loop device arrives here. Never
//! answers ENOSYS where a fault could be meant: FUSE remembers it and does not ask again.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use fuser::{
    BsdFileFlags, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation,
    INodeNo, LockOwner, OpenFlags, ReplyAttr, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry,
    ReplyOpen, ReplyWrite, Request as Caller, TimeOrNow, WriteFlags,
};

use crate::service::{Request, Service};

const DISK: INodeNo = INodeNo(2);
const CONTROL: INodeNo = INodeNo(3);
const COUNTERS: INodeNo = INodeNo(4);
const NAMES: [(&str, INodeNo); 3] = [("disk", DISK), ("control", CONTROL), ("counters", COUNTERS)];

/// Nothing about the files ever changes.
const FOR_EVER: Duration = Duration::from_secs(86400);
/// rustix names them, fuser hands them over as a number: fallocate(2).
const KEEP_SIZE: i32 = 1;
const PUNCH_HOLE: i32 = 2;
const ZERO_RANGE: i32 = 16;

/// The file system.
#[derive(Debug)]
pub struct Files {
    size_bytes: u64,
    service: Arc<Service>,
}

impl Files {
    pub fn new(size_bytes: u64) -> Files {
        Files { size_bytes, service: Service::new(size_bytes) }
    }

    fn attributes(&self, ino: INodeNo) -> FileAttr {
        let folder = ino == INodeNo::ROOT;
        FileAttr {
            ino,
            size: if ino == DISK { self.size_bytes } else { 0 },
            blocks: 0,
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind: if folder { FileType::Directory } else { FileType::RegularFile },
            perm: if folder { 0o700 } else { 0o600 },
            nlink: 1,
            uid: 0,
            gid: 0,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        }
    }
}

impl Filesystem for Files {
    fn lookup(&self, _: &Caller, _: INodeNo, name: &OsStr, reply: ReplyEntry) {
        match NAMES.iter().find(|(known, _)| *known == name) {
            Some((_, ino)) => reply.entry(&FOR_EVER, &self.attributes(*ino), Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Caller, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        reply.attr(&FOR_EVER, &self.attributes(ino));
    }

    /// A shell truncates before it writes; nothing here changes by that.
    fn setattr(
        &self,
        _: &Caller,
        ino: INodeNo,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        _: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        reply.attr(&FOR_EVER, &self.attributes(ino));
    }

    fn open(&self, _: &Caller, _: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let flags = FopenFlags::FOPEN_DIRECT_IO | FopenFlags::FOPEN_PARALLEL_DIRECT_WRITES;
        reply.opened(FileHandle(0), flags | FopenFlags::FOPEN_NOFLUSH);
    }

    fn read(
        &self,
        _: &Caller,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        match ino {
            DISK => self.service.accept(Request::Read { offset, length: size.into(), reply }),
            COUNTERS => {
                let line = self.service.counters().into_bytes();
                let rest = line.get(offset as usize..).unwrap_or_default();
                reply.data(&rest[..rest.len().min(size as usize)]);
            }
            _ => reply.data(&[]),
        }
    }

    fn write(
        &self,
        _: &Caller,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        match ino {
            DISK => self.service.accept(Request::Write { offset, bytes: data.to_vec(), reply }),
            CONTROL => match self.service.obey(&String::from_utf8_lossy(data)) {
                Ok(()) => reply.written(data.len() as u32),
                Err(_) => reply.error(Errno::EINVAL),
            },
            _ => reply.error(Errno::EACCES),
        }
    }

    fn fsync(&self, _: &Caller, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match ino {
            DISK => self.service.accept(Request::Fsync { reply }),
            _ => reply.ok(),
        }
    }

    /// The loop device's discard and write-zeroes.
    fn fallocate(
        &self,
        _: &Caller,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        length: u64,
        mode: i32,
        reply: ReplyEmpty,
    ) {
        let mode = mode & !KEEP_SIZE;
        if ino == DISK && (mode == PUNCH_HOLE || mode == ZERO_RANGE) {
            self.service.accept(Request::Clear { offset, length, reply });
        } else {
            reply.error(Errno::EOPNOTSUPP);
        }
    }

    fn readdir(
        &self,
        _: &Caller,
        _: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        for (index, (name, ino)) in NAMES.iter().enumerate().skip(offset as usize) {
            if reply.add(*ino, index as u64 + 1, FileType::RegularFile, name) {
                break;
            }
        }
        reply.ok();
    }
}
