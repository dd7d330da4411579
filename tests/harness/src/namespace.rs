//! Mounts that only the calling thread and its later children see.
//!
//! The kernel unmounts them when the last of these ends, by whatever signal. A demo calls this
//! first, while it has one thread: then every thread and helper it makes is inside. A test calls
//! it in its own thread, since a test process has many: unshare(2) then gives this thread a mount
//! namespace of its own, and threads and processes it starts inherit it. Code that looks at
//! `/proc/self/mountinfo` from such a thread must read `/proc/thread-self/mountinfo`.
//! The new namespace begins as a copy, and a copy would keep alive what other tests unmount; so
//! their mounts are taken out of it at once. Never undone: a thread cannot go back.

use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, UnmountFlags, mount_change, unmount};
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::failure::{Result, Tried};
use crate::{program, scratch};

/// Enters a new mount namespace from which nothing spreads out, and which holds no mount of the
/// harness yet: call it before making any.
pub fn enter_private_mounts() -> Result<()> {
    program::ours()?;
    // SAFETY: only the root, working directory and mounts of this thread change; no memory, no
    // descriptor table.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS | UnshareFlags::FS) }
        .tried("enter a mount namespace of its own")?;
    make_private().tried("make all mounts private")?;
    for mount_point in scratch::mounts_below(scratch::ALL).iter().rev() {
        unmount(mount_point, UnmountFlags::DETACH)
            .tried(format_args!("leave the mount on {} to its test", mount_point.display()))?;
    }
    Ok(())
}

/// In a chroot `/` is no mount point (EINVAL, mount(2)): there every mount is changed by itself.
fn make_private() -> rustix::io::Result<()> {
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    match mount_change("/", private) {
        Err(Errno::INVAL) => {
            scratch::mounts_below("/").iter().try_for_each(|point| mount_change(point, private))
        }
        result => result,
    }
}
