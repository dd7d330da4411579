//! Reading a disk past the page cache: does it answer, is it the same, does it take writes?
//!
//! Runs in a child with a deadline: a disk that does not answer keeps it. Of what it writes no byte
//! is new.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{OFlags, SeekFrom, seek};
use rustix::io::{Errno, pread, pwrite};
use xvdguard_logic::recovery::effects::{FailureKind, Identity, Outcome, Target};
use xvdguard_logic::super_block;
use xvdguard_logic::super_block::journal::{self, Journal};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, place, refusal};
use crate::calls::kept_error;
use crate::root::Root;

/// O_DIRECT wants addresses and lengths aligned to the sectors of the disk; 4 KiB is the largest
/// that there are (open(2)).
const BLOCK: usize = 4096;
const SECTOR: u64 = 512;

/// The node of a disk, opened past the page cache: for the keeper.
pub fn open_disk(root: &Root, name: &Text) -> Result<OwnedFd, Refusal> {
    open(root, &node(name))
}

/// Where devtmpfs has it.
fn node(name: &Text) -> Vec<u8> {
    let parts: Vec<&[u8]> = name.as_bytes().split(|byte| *byte == b'!').collect();
    [b"dev/", &parts.join(&b'/')[..]].concat()
}

/// The last 4 KiB below `size` bytes that a read may begin at.
pub(crate) fn last_block(size: u64) -> u64 {
    (size / BLOCK as u64).saturating_sub(1) * BLOCK as u64
}

/// Memory that O_DIRECT takes.
struct Aligned(Vec<u8>, usize);

impl Aligned {
    fn new(bytes: usize) -> Aligned {
        let memory = vec![0u8; bytes + BLOCK];
        let start = memory.as_ptr().align_offset(BLOCK);
        Aligned(memory, start)
    }

    fn bytes(&mut self, count: usize) -> &mut [u8] {
        &mut self.0[self.1..self.1 + count]
    }
}

/// Reads the first and the last block. The first is left alone where a file system lies on this
/// very node: reading it past the cache would first write back what is dirty there, and that can
/// kill a journal that would have survived.
pub fn ask(root: &Root, name: &Text) -> Result<Outcome, Refusal> {
    let path = node(name);
    let file = open(root, &path)?;
    let size = seek(&file, SeekFrom::End(0)).map_err(|errno| read_failed(root, &path, errno))?;
    let is_mounted = place::mounts(root)?.iter().any(|mount| {
        root.stat(&path).is_ok_and(|stat| {
            let number = (rustix::fs::major(stat.st_rdev), rustix::fs::minor(stat.st_rdev));
            number == (mount.device.major, mount.device.minor)
        })
    });
    let first = (!is_mounted).then_some(0);
    let mut memory = Aligned::new(BLOCK);
    for at in first.into_iter().chain([last_block(size)]) {
        let count = read_now(&file, memory.bytes(BLOCK), at)
            .map_err(|errno| read_failed(root, &path, errno))?;
        if count == 0 {
            return Err(read_failed(root, &path, Errno::IO));
        }
    }
    Ok(Outcome::Done)
}

/// Reads past the cache, once: each request that fails is a line of the kernel. The error of a
/// write of before says nothing of now.
pub(crate) fn read_now(file: &OwnedFd, bytes: &mut [u8], at: u64) -> Result<usize, Errno> {
    kept_error::take(file.as_fd(), at, bytes.len());
    pread(file, bytes, at)
}

/// What the super block says.
pub fn identity(root: &Root, target: &Target) -> Result<Identity, Refusal> {
    let path = place::node(root, &target.device_name, target.device)?;
    let file = open(root, &path)?;
    let failed = |errno| read_failed(root, &path, errno);
    let size = seek(&file, SeekFrom::End(0)).map_err(failed)?;
    let wanted = super_block::BYTES.min(size as usize / BLOCK * BLOCK);
    let mut memory = Aligned::new(super_block::BYTES);
    let count = pread(&file, memory.bytes(wanted), 0).map_err(failed)?;
    let start = &memory.bytes(wanted)[..count];
    let shown = root.shown(&path);
    let found = super_block::read(target.fstype.as_bytes(), start).ok_or_else(|| {
        refusal(FailureKind::Different, wording::no_super_block(&shown, &target.fstype))
    })?;
    Ok(Identity {
        uuid: Text::from(found.uuid),
        sectors: size / SECTOR,
        mount: found.mount.map(Text::from),
        journal: journal(&file, target, start),
        is_shared: found.is_shared,
    })
}

/// How far the journal has come, and where that is written; none where it is not known.
fn journal(file: &OwnedFd, target: &Target, start: &[u8]) -> Option<(u64, Journal)> {
    let at = journal::place(target.fstype.as_bytes(), start)?;
    read_journal(file, target, at).ok()?.map(|journal| (at, journal))
}

fn read_journal(file: &OwnedFd, target: &Target, at: u64) -> Result<Option<Journal>, Errno> {
    // Blocks are of 1 KiB or more, and no smaller than the sectors of the disk.
    let wanted = if at % BLOCK as u64 == 0 { BLOCK } else { 1024 };
    let mut memory = Aligned::new(BLOCK);
    let count = pread(file, memory.bytes(wanted), at)?;
    Ok(journal::read(target.fstype.as_bytes(), &memory.bytes(wanted)[..count]))
}

/// That its journal has come no less far than it had. To be asked before anything of the file
/// system's super block is read, since that may write the super block which is in memory.
pub fn verify_journal(root: &Root, target: &Target, known: &Identity) -> Result<(), Refusal> {
    let Some((at, known)) = &known.journal else { return Ok(()) };
    let path = place::node(root, &target.device_name, target.device)?;
    let file = open(root, &path)?;
    let now = read_journal(&file, target, *at).map_err(|errno| read_failed(root, &path, errno))?;
    match now {
        Some(now) if !now.is_before(known) => Ok(()),
        _ => {
            let why = wording::other_journal(&target.device_name);
            Err(refusal(FailureKind::Different, why))
        }
    }
}

/// That it is what it was.
pub fn verify(root: &Root, target: &Target, known: &Identity) -> Result<(), Refusal> {
    let now = identity(root, target)?;
    match wording::difference(known, &now) {
        None => Ok(()),
        Some(why) => {
            let why = format!("{}: {why}", target.device_name);
            Err(refusal(FailureKind::Different, why))
        }
    }
}

/// That it takes writes: where reads work again and writes do not, the next mount would fail, and a
/// file system that can still be read is worth more than none. Only asked below a dead one.
///
/// Writes the first sector as it was read, where no file system uses it: ext2, ext3 and ext4 leave
/// their first 1024 bytes to boot loaders (Documentation/filesystems/ext4/blockgroup.rst). While it
/// is mounted the kernel may write the page around it as the dead file system has it: its own super
/// block. A node that cannot be written so, as where the kernel keeps mounted ones, shows nothing.
pub fn takes_writes(root: &Root, target: &Target) -> Result<(), Refusal> {
    if !target.fstype.starts_with("ext") {
        return Ok(());
    }
    let path = place::node(root, &target.device_name, target.device)?;
    let flags = OFlags::RDWR | OFlags::DIRECT | OFlags::NONBLOCK;
    let Ok(file) = root.open(&path, flags) else { return Ok(()) };
    let mut memory = Aligned::new(BLOCK);
    let sector = memory.bytes(SECTOR as usize);
    // Where sectors are larger.
    if !matches!(pread(&file, &mut *sector, 0), Ok(count) if count == sector.len()) {
        return Ok(());
    }
    match pwrite(&file, sector, 0) {
        Ok(_) => Ok(()),
        Err(errno) => {
            let error = crate::error::Error::system("write", root.shown(&path), errno);
            Err(refusal(FailureKind::Storage, error))
        }
    }
}

fn open(root: &Root, path: &[u8]) -> Result<OwnedFd, Refusal> {
    let flags = OFlags::RDONLY | OFlags::DIRECT | OFlags::NONBLOCK;
    root.open(path, flags).map_err(|errno| read_failed(root, path, errno))
}

fn read_failed(root: &Root, path: &[u8], errno: Errno) -> Refusal {
    let kind = match errno {
        Errno::NOENT | Errno::NXIO | Errno::NODEV => FailureKind::Gone,
        _ => FailureKind::Storage,
    };
    refusal(kind, crate::error::Error::system("read", root.shown(path), errno))
}
