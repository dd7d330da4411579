//! Files that a person asked for by name: a frozen policy, a picture.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use xvdguard_linux::error::Error;
use xvdguard_linux::root::Root;
use xvdguard_linux::whole_file::{self, Kept};

use crate::exit::Failure;

/// A file is replaced whole; a pipe or a device is written to.
pub fn write(path: &Path, content: &[u8], kept: Kept) -> Result<(), Failure> {
    let is_other = path.symlink_metadata().is_ok_and(|file| !file.is_file());
    let written = match (path.parent(), path.file_name().map(|name| name.to_str())) {
        (Some(folder), Some(Some(name))) if !is_other => {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            let folder = Root::at(folder.as_os_str().as_bytes());
            folder.and_then(|folder| whole_file::put(&folder, name, content, kept))
        }
        _ => std::fs::write(path, content).map_err(|error| {
            let errno = error.raw_os_error().unwrap_or(0);
            Error::from_errno("write", path.as_os_str().as_bytes(), errno)
        }),
    };
    written.map_err(Failure::Output)
}
