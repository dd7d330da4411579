//! The stages of the boot.

use alloc::format;

use super::Said;
pub use crate::audit::Cause;

/// `early-stage-not-run`
pub const EARLY_STAGE_NOT_RUN: &str =
    "nothing tested the flushes of this boot before file systems were mounted";
/// `early-stage-after-root`
pub const EARLY_STAGE_AFTER_ROOT: &str =
    "the flushes of this boot were tested only after root had been mounted";
/// `no-fsck-in-initramfs`
pub const NO_FSCK_IN_INITRAMFS: &str = "the initramfs did not check root, and cannot";

const HOSTS_KERNEL: &str = "the running kernel is not installed here: the host supplies kernel and \
    ramdisk, and ours is not in it";
const NO_INITRAMFS: &str = "this guest boots without an initramfs";

/// Nothing of ours ran before root was mounted.
pub fn early_not_run(cause: Cause<'_>) -> Said {
    const SO: &str = "xvdguard-early has not run in this boot: a backend that refuses flushes was \
        not found out before file systems were mounted";
    let (why, remedy) = match cause {
        Cause::Inert => (
            "\"xvdguard=off\" stands on the kernel command line".into(),
            "take xvdguard=off out and reboot",
        ),
        Cause::NoHook => (
            "neither a hook for the initramfs nor the unit that does the same later is installed"
                .into(),
            "install the package's hook, make a new initramfs (update-initramfs -u, dracut -f) and \
             reboot",
        ),
        Cause::HostsKernel => (
            HOSTS_KERNEL.into(),
            "let the guest boot its own kernel (pygrub, pvgrub, PVH), or enable the unit \
             xvdguard-early.service",
        ),
        Cause::NoInitramfs => (
            NO_INITRAMFS.into(),
            "enable the unit xvdguard-early.service, or boot with an initramfs",
        ),
        Cause::OldImage(hook) => (
            format!(
                "{hook} is installed, but the image that booted was made without it, or its work \
                 did not end in time"
            ),
            "look for xvdguard in dmesg; if it is not there, make a new initramfs \
             (update-initramfs -u, dracut -f) and reboot",
        ),
    };
    Said::new(format!("{SO}; {why}"), remedy)
}

/// Ours ran when root was mounted and nothing else was.
pub fn early_after_root(cause: Cause<'_>) -> Said {
    const SO: &str = "xvdguard-early ran only after root had been mounted: the other file systems \
        are protected, and root's first commits were not";
    let (why, remedy) = match cause {
        Cause::HostsKernel => {
            (HOSTS_KERNEL, "let the guest boot its own kernel (pygrub, pvgrub, PVH)")
        }
        Cause::NoInitramfs => (NO_INITRAMFS, "boot with an initramfs"),
        Cause::Inert | Cause::NoHook | Cause::OldImage(_) => (
            "the image that booted was made without our hook, or its work did not end in time",
            "make a new initramfs (update-initramfs -u, dracut -f) and reboot; if that changes \
             nothing, look for xvdguard in dmesg",
        ),
    };
    Said::new(format!("{SO}; {why}"), remedy)
}

/// Root is not checked; `never` where fstab's sixth field says so.
pub fn no_fsck(never: bool) -> Said {
    let (why, remedy) = if never {
        (
            "fstab says 0 in its sixth field for /, so fsck is left out of the image",
            "write 1 there, then update-initramfs -u",
        )
    } else {
        (
            "fsck is not in the image, or the image did not find the type of root",
            "update-initramfs -u, and look for its warnings about fsck",
        )
    };
    Said::new(
        format!(
            "the initramfs did not check root before mounting it: {why}. After an aborted journal \
             root comes up again with the damage it has"
        ),
        remedy,
    )
}
