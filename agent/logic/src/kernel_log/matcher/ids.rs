//! What a message is: one name for each row of `agent/logic/data/kernel-messages.tsv`, which says
//! more of each.

macro_rules! words {
    ($(#[$about:meta])* $kind:ident: $($variant:ident = $name:literal, $what:literal;)*) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind {
            $(#[doc = $what] $variant,)*
        }

        impl $kind {
            /// The word of the table.
            pub fn name(self) -> &'static str {
                match self { $($kind::$variant => $name,)* }
            }
        }
    };
}

words! {
    /// How bad a message is; what follows from it is said in `explain`.
    Severity:
    Recovered = "recovered", "A file system is mounted, or has replayed its journal.";
    PathRestored = "path_restored", "A host has a path to its storage back.";
    Warning = "warning", "Worth knowing, no failure by itself.";
    PathLost = "path_lost", "A host has lost a path to its storage.";
    BarrierFailed = "barrier_failed", "A flush or barrier failed.";
    IoError = "io_error", "Something was not read or not written.";
    JournalAborted = "journal_aborted", "A journal has given up until its next mount.";
    Readonly = "readonly", "A file system has become read-only.";
    Shutdown = "shutdown", "A file system has been shut down.";
}

words! {
    /// The part of the kernel that speaks.
    Subsystem:
    Block = "block", "The block layer and fs/buffer.c.";
    Btrfs = "btrfs", "btrfs.";
    DeviceMapper = "device-mapper", "Multipath, in the log of a host.";
    Drbd = "drbd", "DRBD, in the log of a host.";
    Ext3 = "ext3", "The ext3 driver.";
    Ext4 = "ext4", "The ext4 driver.";
    F2fs = "f2fs", "F2FS.";
    Iscsi = "iscsi", "iSCSI, in the log of a host.";
    Jbd = "jbd", "The journal of ext3.";
    Jbd2 = "jbd2", "The journal of ext4.";
    Jfs = "jfs", "JFS.";
    Kernel = "kernel", "The kernel at large.";
    Mm = "mm", "Memory: swap.";
    Nilfs2 = "nilfs2", "NILFS2.";
    Reiserfs = "reiserfs", "ReiserFS.";
    Scsi = "scsi", "SCSI disks, in the log of a host.";
    Vfs = "vfs", "What all file systems share.";
    XenBlkfront = "xen-blkfront", "The driver of Xen's virtual disks.";
    Xfs = "xfs", "XFS.";
}

macro_rules! ids {
    ($($id:ident = $name:literal, $subsystem:ident, $severity:ident;)*) => {
        /// Which message: the variants are called as the rows of the table.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Id {
            $(#[doc = concat!("The row `", $name, "`.")] $id,)*
        }

        impl Id {
            /// Every row, in the order of the table.
            pub const ALL: &'static [Id] = &[$(Id::$id,)*];

            /// The id of the row.
            pub fn name(self) -> &'static str {
                match self { $(Id::$id => $name,)* }
            }

            /// Who says it.
            pub fn subsystem(self) -> Subsystem {
                match self { $(Id::$id => Subsystem::$subsystem,)* }
            }

            /// How bad it is.
            pub fn severity(self) -> Severity {
                match self { $(Id::$id => Severity::$severity,)* }
            }
        }
    };
}

ids! {
    BlkfrontBarrierFail26 = "blkfront_barrier_fail_26", XenBlkfront, BarrierFailed;
    BlkfrontBarrierFailSwapped = "blkfront_barrier_fail_swapped", XenBlkfront, BarrierFailed;
    BlkfrontEmptyFailSwapped = "blkfront_empty_fail_swapped", XenBlkfront, BarrierFailed;
    BlkfrontOpFail = "blkfront_op_fail", XenBlkfront, BarrierFailed;
    BlkfrontDiscardFail = "blkfront_discard_fail", XenBlkfront, Warning;
    BlkfrontBarriersState26 = "blkfront_barriers_state_26", XenBlkfront, Warning;
    BlkfrontFlushState3x = "blkfront_flush_state_3x", XenBlkfront, Warning;
    BlkfrontFlushState311 = "blkfront_flush_state_311", XenBlkfront, Warning;
    BlkfrontHotunplug = "blkfront_hotunplug", XenBlkfront, Warning;
    BlkfrontCapacity = "blkfront_capacity", XenBlkfront, Warning;
    XenbusRefuseClose = "xenbus_refuse_close", XenBlkfront, Warning;
    XenSuspending = "xen_suspending", XenBlkfront, Warning;
    BlkEndRequest = "blk_end_request", Block, IoError;
    BlkEndRequestTyped = "blk_end_request_typed", Block, IoError;
    BlkUpdateRequest = "blk_update_request", Block, IoError;
    PrintReqError = "print_req_error", Block, IoError;
    BlkUpdateRequestOp = "blk_update_request_op", Block, IoError;
    BlkIoErrorOp = "blk_io_error_op", Block, IoError;
    BufferIoOld = "buffer_io_old", Block, IoError;
    LostPageWriteOld = "lost_page_write_old", Block, IoError;
    BufferIoNew = "buffer_io_new", Block, IoError;
    SwapWriteErr = "swap_write_err", Mm, IoError;
    HungTask = "hung_task", Kernel, Warning;
    RatelimitSuppressed = "ratelimit_suppressed", Kernel, Warning;
    JbdBarrierFail = "jbd_barrier_fail", Jbd, BarrierFailed;
    JbdAbort = "jbd_abort", Jbd, JournalAborted;
    Jbd2Abort = "jbd2_abort", Jbd2, JournalAborted;
    JournalCommitIoError = "journal_commit_io_error", Jbd, JournalAborted;
    JbdDataIo = "jbd_data_io", Jbd, Warning;
    Jbd2DataIo = "jbd2_data_io", Jbd2, Warning;
    Jbd2SbErr = "jbd2_sb_err", Jbd2, JournalAborted;
    Jbd2SbErr6 = "jbd2_sb_err6", Jbd2, JournalAborted;
    JbdSbPrev = "jbd_sb_prev", Jbd, Warning;
    JbdRecoveryFailed = "jbd_recovery_failed", Jbd2, Warning;
    Ext3AbortCalled = "ext3_abort_called", Ext3, JournalAborted;
    Ext3DetectedAbort26 = "ext3_detected_abort_26", Ext3, JournalAborted;
    Ext3DetectedAbort3 = "ext3_detected_abort_3", Ext3, JournalAborted;
    Ext3RemountRo26 = "ext3_remount_ro_26", Ext3, Readonly;
    Ext3RemountRo3 = "ext3_remount_ro_3", Ext3, Readonly;
    Ext3Error = "ext3_error", Ext3, Warning;
    Ext3StdError = "ext3_std_error", Ext3, Warning;
    Ext3AbortUser = "ext3_abort_user", Ext3, JournalAborted;
    Ext3NoBarrier = "ext3_no_barrier", Ext3, Warning;
    Ext3BadOpt = "ext3_bad_opt", Ext3, Warning;
    Ext4DetectedAbort = "ext4_detected_abort", Ext4, JournalAborted;
    Ext4RemountRo = "ext4_remount_ro", Ext4, Readonly;
    Ext4AbortUser = "ext4_abort_user", Ext4, JournalAborted;
    Ext4Error = "ext4_error", Ext4, Warning;
    Ext4StdError = "ext4_std_error", Ext4, Warning;
    Ext4EndBio = "ext4_end_bio", Ext4, IoError;
    Ext4UnwrittenLost = "ext4_unwritten_lost", Ext4, IoError;
    Ext4DelallocLost = "ext4_delalloc_lost", Ext4, IoError;
    Ext4SbIo = "ext4_sb_io", Ext4, IoError;
    Ext4ShutdownReq = "ext4_shutdown_req", Ext4, Shutdown;
    Ext4UmountJournal = "ext4_umount_journal", Ext4, Warning;
    Ext4BarriersOff = "ext4_barriers_off", Ext4, Warning;
    Ext4Mounted = "ext4_mounted", Ext4, Recovered;
    Ext4RecoveryOk = "ext4_recovery_ok", Ext4, Recovered;
    Ext4BadOpt = "ext4_bad_opt", Ext4, Warning;
    FsparamUnknown = "fsparam_unknown", Vfs, Warning;
    FsparamBad = "fsparam_bad", Vfs, Warning;
    XfsBarrierTrial = "xfs_barrier_trial", Xfs, BarrierFailed;
    XfsIo26 = "xfs_io_26", Xfs, IoError;
    XfsShutdown26 = "xfs_shutdown_26", Xfs, Shutdown;
    XfsForceShutdown26 = "xfs_force_shutdown_26", Xfs, Shutdown;
    XfsPleaseUmount26 = "xfs_please_umount_26", Xfs, Shutdown;
    XfsRecovered26 = "xfs_recovered_26", Xfs, Recovered;
    XfsForceShutdownCall = "xfs_force_shutdown_call", Xfs, Shutdown;
    XfsShutdown3 = "xfs_shutdown_3", Xfs, Shutdown;
    XfsCorruptShutdown = "xfs_corrupt_shutdown", Xfs, Shutdown;
    XfsShutdown514 = "xfs_shutdown_514", Xfs, Shutdown;
    XfsLogShutdown = "xfs_log_shutdown", Xfs, Shutdown;
    XfsPleaseUmount = "xfs_please_umount", Xfs, Shutdown;
    XfsLogIo = "xfs_log_io", Xfs, Shutdown;
    XfsMetaIo = "xfs_meta_io", Xfs, IoError;
    XfsWriteback = "xfs_writeback", Xfs, IoError;
    XfsLogForce = "xfs_log_force", Xfs, Shutdown;
    XfsDepBarrier = "xfs_dep_barrier", Xfs, Warning;
    XfsBadOpt = "xfs_bad_opt", Xfs, Warning;
    XfsRecovered = "xfs_recovered", Xfs, Recovered;
    XfsCleanMount = "xfs_clean_mount", Xfs, Recovered;
    BtrfsDisBarrier = "btrfs_dis_barrier", Btrfs, BarrierFailed;
    BtrfsErrs = "btrfs_errs", Btrfs, IoError;
    BtrfsAbort = "btrfs_abort", Btrfs, JournalAborted;
    BtrfsErrno = "btrfs_errno", Btrfs, JournalAborted;
    BtrfsRo = "btrfs_ro", Btrfs, Readonly;
    BtrfsNoRw = "btrfs_no_rw", Btrfs, Readonly;
    BtrfsLostPage = "btrfs_lost_page", Btrfs, IoError;
    F2fsStop = "f2fs_stop", F2fs, Readonly;
    JfsRo = "jfs_ro", Jfs, Readonly;
    JfsError = "jfs_error", Jfs, Warning;
    JfsLogIo = "jfs_log_io", Jfs, IoError;
    ReiserfsAbort = "reiserfs_abort", Reiserfs, JournalAborted;
    ReiserfsRo = "reiserfs_ro", Reiserfs, Readonly;
    ReiserfsDisBarrier = "reiserfs_dis_barrier", Reiserfs, BarrierFailed;
    NilfsDisBarrier = "nilfs_dis_barrier", Nilfs2, BarrierFailed;
    DrbdSplit = "drbd_split", Drbd, IoError;
    KernelUnknownParam = "kernel_unknown_param", Kernel, Warning;
    ModuleUnknownParam = "module_unknown_param", Kernel, Warning;
    IscsiConnError = "iscsi_conn_error", Iscsi, PathLost;
    IscsiPingTimeout = "iscsi_ping_timeout", Iscsi, PathLost;
    IscsiSessionTimeout = "iscsi_session_timeout", Iscsi, IoError;
    ScsiOffline = "scsi_offline", Scsi, IoError;
    MultipathFailing = "multipath_failing", DeviceMapper, PathLost;
    MultipathReinstating = "multipath_reinstating", DeviceMapper, PathRestored;
    DrbdNoDisk = "drbd_no_disk", Drbd, IoError;
}
