//! A mounted file system that is unmounted when dropped.
//!
//! By mount(2) itself: mount(8) would read fstab, feed shown options back and load helpers.
//! Dropping never waits long for a device that does not answer: the mount leaves the name space
//! at once and the kernel ends it when the device answers or its server dies.

use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, mount_remount, unmount};

use crate::deadline;
use crate::failure::{Failure, Result, Tried};

/// A mounted file system.
#[derive(Debug)]
pub struct Mounted {
    target: PathBuf,
    mounted: bool,
}

/// A last sync on an idle test disk takes milliseconds.
const UNMOUNTS_WITHIN: Duration = Duration::from_secs(2);

/// The options that mount(2) takes as flags; all others go to the file system.
const FLAGS: [(&str, MountFlags); 8] = [
    ("rw", MountFlags::empty()),
    ("ro", MountFlags::RDONLY),
    ("nosuid", MountFlags::NOSUID),
    ("nodev", MountFlags::NODEV),
    ("noexec", MountFlags::NOEXEC),
    ("noatime", MountFlags::NOATIME),
    ("relatime", MountFlags::RELATIME),
    ("sync", MountFlags::SYNCHRONOUS),
];

impl Mounted {
    /// Mounts `source` on `target`, which is made where it is missing. `options` as in fstab.
    pub fn new(source: &Path, target: &Path, fstype: &str, options: &str) -> Result<Mounted> {
        let what = format!("mount {} on {} ({options})", source.display(), target.display());
        std::fs::create_dir_all(target).tried(&what)?;
        Mounted::attempt(source, target, fstype, options).tried(&what)
    }

    /// The same on a target that is there, with what the kernel said where it refused.
    pub fn attempt(
        source: &Path,
        target: &Path,
        fstype: &str,
        options: &str,
    ) -> std::result::Result<Mounted, Errno> {
        let (flags, data) = parsed(options)?;
        mount(source, target, fstype, flags, data.as_c_str())?;
        Ok(Mounted { target: target.to_owned(), mounted: true })
    }

    /// Mounts it again with these options, as they are: mount(8) would add the ones in force.
    pub fn remount(&self, options: &str) -> std::result::Result<(), Errno> {
        let (flags, data) = parsed(options)?;
        mount_remount(&self.target, flags, data.as_c_str())
    }

    /// Shows a directory or a file a second time at `target`, which must be there.
    pub fn bind(source: &Path, target: &Path) -> Result<Mounted> {
        mount_bind(source, target).tried(format_args!(
            "bind {} to {}",
            source.display(),
            target.display()
        ))?;
        Ok(Mounted { target: target.to_owned(), mounted: true })
    }

    /// Where it is.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Unmounts it as umount(8) does: a busy one is a failure, and stays until dropped.
    pub fn unmount(mut self) -> Result<()> {
        let target = self.target.clone();
        let ended =
            deadline::within(UNMOUNTS_WITHIN, move || unmount(&target, UnmountFlags::empty()));
        let what = format!("unmount {}", self.target.display());
        ended.ok_or_else(|| Failure::new(format!("cannot {what}: no answer")))?.tried(what)?;
        self.mounted = false;
        Ok(())
    }

    /// Forgets the mount: somebody else, the agent under test, has unmounted it.
    pub fn forget(mut self) {
        self.mounted = false;
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        if self.mounted {
            let target = self.target.clone();
            deadline::within(UNMOUNTS_WITHIN, move || unmount(&target, UnmountFlags::DETACH));
        }
    }
}

fn parsed(options: &str) -> std::result::Result<(MountFlags, CString), Errno> {
    let mut flags = MountFlags::empty();
    let mut data = Vec::new();
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match FLAGS.iter().find(|(name, _)| *name == option) {
            Some((_, flag)) => flags |= *flag,
            None => data.push(option),
        }
    }
    let data = CString::new(data.join(",")).map_err(|_| Errno::INVAL)?;
    Ok((flags, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_taken_out_of_the_options() {
        let (flags, data) = parsed("ro,errors=remount-ro,noatime,barrier=1").unwrap();
        assert_eq!(flags, MountFlags::RDONLY | MountFlags::NOATIME);
        assert_eq!(data.as_c_str(), c"errors=remount-ro,barrier=1");
        assert_eq!(parsed(""), Ok((MountFlags::empty(), CString::default())));
        assert_eq!(parsed("a\0b"), Err(Errno::INVAL));
    }
}
