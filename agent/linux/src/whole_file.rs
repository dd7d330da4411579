//! Files of our own, written beside their name and renamed: a reader sees the old or the new one,
//! whole.
//!
//! For files that nobody else writes. One of the administrator's goes through `rewrite`.

use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::{Errno, write};

use crate::error::{Error, Result};
use crate::root::Root;

/// What a file has to outlive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlives {
    /// Nothing: it lies in memory, and the next boot wants none of it.
    Nothing,
    /// A power loss: when this returns, file and name are on the disk.
    PowerLoss,
}

/// Writes the file `name` in `folder`.
pub fn put(folder: &Root, name: &str, content: &[u8], outlives: Outlives) -> Result<()> {
    let shown = folder.shown(name.as_bytes());
    let failed = |errno| Error::system("write", shown.clone(), errno);
    let new = format!(".{name}.new");
    let written = write_new(folder, &new, content, outlives)
        .and_then(|()| fs::renameat(folder.as_fd(), &*new, folder.as_fd(), name));
    if written.is_err() {
        // Half a file is worth nothing, and a full file system wants its space back.
        let _ = fs::unlinkat(folder.as_fd(), &*new, AtFlags::empty());
    }
    written.and_then(|()| sync_names(folder, outlives)).map_err(failed)
}

/// Removes a file of ours, if it is there.
pub fn remove(folder: &Root, name: &str, outlives: Outlives) -> Result<()> {
    let failed = |errno| Error::system("remove", folder.shown(name.as_bytes()), errno);
    match fs::unlinkat(folder.as_fd(), name, AtFlags::empty()) {
        Ok(()) => sync_names(folder, outlives).map_err(failed),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(failed(errno)),
    }
}

fn write_new(
    folder: &Root,
    name: &str,
    content: &[u8],
    outlives: Outlives,
) -> std::result::Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
    let mode = Mode::from_raw_mode(0o644);
    let file = folder.open_with_mode(name.as_bytes(), flags, mode)?;
    fs::fchmod(&file, mode)?;
    write_all(&file, content)?;
    match outlives {
        Outlives::Nothing => Ok(()),
        Outlives::PowerLoss => fs::fsync(&file),
    }
}

fn sync_names(folder: &Root, outlives: Outlives) -> std::result::Result<(), Errno> {
    match outlives {
        Outlives::Nothing => Ok(()),
        Outlives::PowerLoss => fs::fsync(folder.as_fd()),
    }
}

/// Writes everything or fails.
pub fn write_all(file: &OwnedFd, content: &[u8]) -> std::result::Result<(), Errno> {
    let mut rest = content;
    while !rest.is_empty() {
        match write(file, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => rest = &rest[count..],
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// A folder of ours in one that must be there, made where it is missing.
pub fn folder(root: &Root, above: &[u8], name: &str, outlives: Outlives) -> Result<Root> {
    let above = root.enter(above)?;
    let failed = |errno| Error::system("make directory", above.shown(name.as_bytes()), errno);
    match fs::mkdirat(above.as_fd(), name, Mode::from_raw_mode(0o755)) {
        Ok(()) => sync_names(&above, outlives).map_err(failed)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    above.enter(name.as_bytes())
}
