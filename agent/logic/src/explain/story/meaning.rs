//! What a message of the kernel means for the thing that it names.
//!
//! Decided by the message alone; what went before is `record`'s.

use super::{Verdict, Weight};
use crate::kernel_log::matcher::{Capture, Id, Match, Severity, Subsystem};

/// What a message means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// It is a finding of this weight.
    Finding(Weight),
    /// The same, about a path of the host.
    Path(Weight),
    /// A path of the host is usable again.
    PathBack,
    /// blkfront says what it sends from now on: flushes or not.
    Flushes {
        /// Whether it sends any.
        are_sent: bool,
    },
    /// The file system was mounted anew, or its journal replayed.
    Mounted,
    /// The kernel dropped so many lines.
    Dropped(u64),
    /// Nothing that matters here.
    Nothing,
}

const NOTE: Meaning = Meaning::Finding(Weight::Note);

fn proves(verdict: Verdict) -> Meaning {
    Meaning::Finding(Weight::Proves(verdict))
}

impl Meaning {
    /// What a message means by itself.
    pub fn of(found: &Match<'_>) -> Meaning {
        match found.id.severity() {
            Severity::BarrierFailed => proves(Verdict::Refused),
            Severity::IoError => io_error(found),
            Severity::JournalAborted | Severity::Readonly | Severity::Shutdown => {
                proves(Verdict::Aborted)
            }
            Severity::PathLost => Meaning::Path(Weight::Proves(Verdict::Stalled)),
            Severity::PathRestored => Meaning::PathBack,
            Severity::Recovered => Meaning::Mounted,
            Severity::Warning => warning(found),
        }
    }
}

/// A request that failed proves an error of the storage, unless it is one that a backend may refuse
/// (blk_op_str in block/blk-core.c names the operations), or the medium is not there at all.
fn io_error(found: &Match<'_>) -> Meaning {
    let optional: [&[u8]; 3] = [b"DISCARD", b"WRITE_ZEROES", b"SECURE_ERASE"];
    let is_optional = found.get(Capture::OperationName).is_some_and(|op| optional.contains(&op));
    let is_unsupported = found.get(Capture::Kind) == Some(b"operation not supported");
    if is_optional || is_unsupported || found.device.is_some_and(is_empty_drive) {
        return NOTE;
    }
    if is_path(found.id) {
        return Meaning::Path(Weight::Proves(Verdict::Erring));
    }
    proves(Verdict::Erring)
}

/// Whether a message is about a path of a storage host and not about a guest's disk.
pub fn is_path(id: Id) -> bool {
    let subsystem = id.subsystem();
    let of_host = [Subsystem::Drbd, Subsystem::Iscsi, Subsystem::Scsi, Subsystem::DeviceMapper];
    of_host.contains(&subsystem)
}

/// Whether a message is about a request and not about a page, a journal or a file system above it.
pub fn is_request(id: Id) -> bool {
    let is_page = matches!(id, Id::BufferIoOld | Id::BufferIoNew | Id::LostPageWriteOld);
    matches!(id.subsystem(), Subsystem::Block | Subsystem::XenBlkfront) && !is_page
}

/// `fd0` and `sr0`: a drive without a medium answers every request with an error.
fn is_empty_drive(device: &[u8]) -> bool {
    let number = device.strip_prefix(b"fd").or_else(|| device.strip_prefix(b"sr"));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

fn warning(found: &Match<'_>) -> Meaning {
    match found.id {
        Id::HungTask => proves(Verdict::Stalled),
        Id::RatelimitSuppressed => Meaning::Dropped(found.number(Capture::Count).unwrap_or(1)),
        Id::BlkfrontBarriersState26 | Id::BlkfrontFlushState3x | Id::BlkfrontFlushState311 => {
            Meaning::Flushes { are_sent: found.get(Capture::State) == Some(b"enabled") }
        }
        Id::JbdDataIo
        | Id::Jbd2DataIo
        | Id::JbdSbPrev
        | Id::JbdRecoveryFailed
        | Id::Ext3Error
        | Id::Ext4Error
        | Id::Ext4UmountJournal
        | Id::JfsError => proves(Verdict::Erring),
        Id::Ext3StdError | Id::Ext4StdError => std_error(found),
        Id::FsparamUnknown if is_of_the_dead(found.get(Capture::Option)) => NOTE,
        Id::Ext3BadOpt | Id::Ext4BadOpt | Id::XfsBadOpt | Id::FsparamUnknown | Id::FsparamBad => {
            Meaning::Finding(Weight::Option)
        }
        Id::BlkfrontCapacity | Id::KernelUnknownParam | Id::ModuleUnknownParam => Meaning::Nothing,
        _ => NOTE,
    }
}

/// mount(8) hands the kernel back what mountinfo shows of a dead file system: somebody tried to
/// remount it.
fn is_of_the_dead(option: Option<&[u8]>) -> bool {
    matches!(option, Some(b"emergency_ro" | b"shutdown"))
}

/// ext3_decode_error and ext4_decode_error say which error it was.
fn std_error(found: &Match<'_>) -> Meaning {
    match found.get(Capture::Message) {
        Some(b"Journal has aborted") => proves(Verdict::Aborted),
        Some(b"Out of memory") => NOTE,
        _ => proves(Verdict::Erring),
    }
}
