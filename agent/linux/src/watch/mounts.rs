//! Telling that something was mounted or unmounted. A super block that dies says nothing here.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::OFlags;

use crate::error::{Error, Result};
use crate::root::Root;

/// An open mountinfo: it polls as "error and priority" after each change (proc(5)).
#[derive(Debug)]
pub struct MountChanges(OwnedFd);

impl MountChanges {
    /// Opens it.
    pub fn open(root: &Root) -> Result<MountChanges> {
        let path = b"proc/self/mountinfo";
        let file = root.open(path, OFlags::RDONLY);
        file.map(MountChanges).map_err(|errno| Error::system("open", root.shown(path), errno))
    }
}

impl AsFd for MountChanges {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
