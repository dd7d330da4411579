//! What each message means, in one sentence without its device.

use crate::explain::daemons::DaemonId;
use crate::explain::story::{Event, is_failed_flush};
use crate::kernel_log::matcher::Id;
use crate::text::Text;

/// The sentence of a message.
pub fn meaning(event: Event, text: &Text) -> &'static str {
    match event {
        _ if is_failed_flush(event, text) => "the backend answered a flush with an error",
        Event::Kernel(id) => kernel(id),
        Event::Daemon(id) => daemon(id),
    }
}

fn daemon(id: DaemonId) -> &'static str {
    match id {
        DaemonId::IscsidError => "the host lost an iSCSI connection to its storage",
        DaemonId::IscsidRecovered => "the host's iSCSI connection works again",
        DaemonId::MultipathdNoPath => "the host has no path to its storage left",
        DaemonId::MultipathdPaths => "the host has a path to its storage",
    }
}

fn kernel(id: Id) -> &'static str {
    blkfront(id)
        .or_else(|| block(id))
        .or_else(|| journal(id))
        .or_else(|| others(id))
        .unwrap_or("the kernel says so")
}

fn blkfront(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::BlkfrontBarrierFail26 | Id::BlkfrontBarrierFailSwapped | Id::BlkfrontOpFail => {
            "the backend refused a flush or barrier that it had promised"
        }
        Id::BlkfrontEmptyFailSwapped => {
            "the backend answered an empty flush or barrier with an error"
        }
        Id::BlkfrontBarriersState26 | Id::BlkfrontFlushState3x | Id::BlkfrontFlushState311 => {
            "blkfront gave flushes up: none is sent any more"
        }
        Id::BlkfrontDiscardFail => "the backend refused a discard; harmless",
        Id::BlkfrontHotunplug => "the host took the disk away",
        Id::XenbusRefuseClose => "the host wants the disk back while it is in use",
        Id::XenSuspending => "the guest was saved or migrated",
        _ => return None,
    })
}

fn block(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::BlkEndRequest
        | Id::BlkEndRequestTyped
        | Id::BlkUpdateRequest
        | Id::PrintReqError
        | Id::BlkUpdateRequestOp
        | Id::BlkIoErrorOp => "the storage answered a request with an error",
        Id::BufferIoOld | Id::BufferIoNew => "a block could not be read or written",
        Id::LostPageWriteOld | Id::BtrfsLostPage => "a page was not written: its data is lost",
        Id::SwapWriteErr => "swapping failed: programs die when they need that page",
        Id::IscsiConnError | Id::IscsiPingTimeout => {
            "the host lost an iSCSI connection to its storage"
        }
        Id::IscsiSessionTimeout | Id::ScsiOffline => {
            "the host gave the path up: its guests get errors from here on"
        }
        Id::MultipathFailing => "the host lost a path to its storage; others may be left",
        Id::MultipathReinstating => "the host has the path back",
        Id::DrbdNoDisk => "DRBD on the host has neither a local disk nor a peer",
        Id::DrbdSplit => "the host's DRBD refused a request because of its shape",
        Id::HungTask => "a task waits; storage that does not answer makes tasks wait so",
        _ => return None,
    })
}

fn journal(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::JbdBarrierFail => "the journal goes on without barriers",
        Id::JbdAbort | Id::Jbd2Abort => "the journal gave up: from here on nothing is kept",
        Id::JournalCommitIoError => "a commit failed in a journal that is not named",
        Id::JbdDataIo | Id::Jbd2DataIo => "data of files was not written",
        Id::Jbd2SbErr | Id::Jbd2SbErr6 => "that the journal is dead could not be written down",
        Id::JbdSbPrev => "an earlier write of the journal's super block failed",
        Id::JbdRecoveryFailed => "a journal could not be replayed: the mount failed",
        Id::Ext3AbortCalled
        | Id::Ext3DetectedAbort26
        | Id::Ext3DetectedAbort3
        | Id::Ext4DetectedAbort => "the file system noticed that its journal is dead",
        Id::Ext3RemountRo26
        | Id::Ext3RemountRo3
        | Id::Ext4RemountRo
        | Id::ReiserfsRo
        | Id::JfsRo => "the file system takes no more writes, whatever mount says",
        Id::Ext3AbortUser | Id::Ext4AbortUser => "somebody tried to remount the dead file system",
        Id::Ext3StdError | Id::Ext4StdError | Id::Ext3Error | Id::Ext4Error => {
            "the file system met an error"
        }
        Id::Ext4EndBio | Id::Ext4UnwrittenLost | Id::Ext4DelallocLost => "data of a file is lost",
        Id::Ext4SbIo => "the super block could not be written",
        Id::Ext4ShutdownReq => "somebody shut the file system down",
        Id::Ext4UmountJournal => "the journal could not be closed at umount",
        _ => return None,
    })
}

fn others(id: Id) -> Option<&'static str> {
    Some(match id {
        Id::Ext3NoBarrier | Id::Ext4BarriersOff => "mounted without barriers",
        Id::Ext3BadOpt | Id::Ext4BadOpt | Id::XfsBadOpt | Id::FsparamUnknown | Id::FsparamBad => {
            "this kernel does not take the mount option: the mount failed"
        }
        Id::XfsDepBarrier => "the option does nothing on this kernel and stops the mount on 4.19+",
        Id::XfsBarrierTrial
        | Id::BtrfsDisBarrier
        | Id::ReiserfsDisBarrier
        | Id::NilfsDisBarrier => "a barrier was refused; the file system goes on without",
        Id::XfsIo26 | Id::XfsMetaIo => "metadata could not be read or written",
        Id::XfsWriteback => "data of a file is lost",
        Id::XfsShutdown26
        | Id::XfsForceShutdown26
        | Id::XfsForceShutdownCall
        | Id::XfsShutdown3
        | Id::XfsShutdown514
        | Id::XfsLogShutdown
        | Id::XfsLogIo
        | Id::XfsLogForce
        | Id::XfsPleaseUmount26
        | Id::XfsPleaseUmount => "XFS shut itself down: every access fails, though mount says rw",
        Id::XfsCorruptShutdown => "XFS found its memory damaged and shut itself down",
        Id::BtrfsErrs => "btrfs counts errors of a device",
        Id::BtrfsAbort | Id::BtrfsErrno => "btrfs gave its transaction up",
        Id::BtrfsRo | Id::F2fsStop => "the file system was forced read-only",
        Id::BtrfsNoRw => "somebody tried to remount the dead file system",
        Id::JfsError | Id::JfsLogIo => "the file system met an error",
        Id::ReiserfsAbort => "the journal gave up: from here on nothing is kept",
        _ => return None,
    })
}
