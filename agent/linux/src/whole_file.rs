//! Files of our own, written beside their name and renamed: a reader sees the old or the new one,
//! whole.
//!
//! For files that nobody else writes. One of the administrator's goes through `rewrite`.

use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::{Errno, write};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result};
use crate::root::Root;

/// How long a file is kept, and who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// In memory, for this boot; for all to read.
    ThisBoot,
    /// Beyond a power loss: when this returns, file and name are on the disk. For root alone.
    ForGood,
}

impl Kept {
    fn mode(self) -> Mode {
        Mode::from_raw_mode(match self {
            Kept::ThisBoot => 0o644,
            Kept::ForGood => 0o600,
        })
    }

    fn sync(self, file: impl AsFd) -> std::result::Result<(), Errno> {
        match self {
            Kept::ThisBoot => Ok(()),
            Kept::ForGood => fs::fsync(file),
        }
    }
}

/// Writes the file `name` in `folder`.
pub fn put(folder: &Root, name: &str, content: &[u8], kept: Kept) -> Result<()> {
    let shown = folder.shown(name.as_bytes());
    let failed = |errno| Error::system("write", shown.clone(), errno);
    let new = temporary(name);
    let written = write_new(folder, &new, content, kept)
        .and_then(|()| fs::renameat(folder.as_fd(), &*new, folder.as_fd(), name));
    if written.is_err() {
        // Half a file is worth nothing, and a full file system wants its space back.
        let _ = fs::unlinkat(folder.as_fd(), &*new, AtFlags::empty());
    }
    written.and_then(|()| kept.sync(folder.as_fd())).map_err(failed)
}

/// Writes a JSON document for programs.
pub fn put_document(
    folder: &Root,
    name: &str,
    document: &impl Serialize,
    kept: Kept,
) -> Result<()> {
    put_encoded(folder, name, serde_json::to_vec(document), kept)
}

/// Writes a JSON document that people read, too.
pub fn put_readable_document(
    folder: &Root,
    name: &str,
    document: &impl Serialize,
    kept: Kept,
) -> Result<()> {
    put_encoded(folder, name, serde_json::to_vec_pretty(document), kept)
}

fn put_encoded(
    folder: &Root,
    name: &str,
    encoded: serde_json::Result<Vec<u8>>,
    kept: Kept,
) -> Result<()> {
    let failed = |error: serde_json::Error| {
        Error::content("write", folder.shown(name.as_bytes()), error.to_string())
    };
    let mut content = encoded.map_err(failed)?;
    content.push(b'\n');
    put(folder, name, &content, kept)
}

/// A value as bytes, for the way from a child to its parent.
pub fn to_bytes(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// Undoes `to_bytes`; `None` for anything else.
pub fn from_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice(bytes).ok()
}

/// Reads a JSON document; `None` where there is none. `advice`: what to do where it is broken.
pub fn read_document<T: DeserializeOwned>(
    root: &Root,
    path: &[u8],
    advice: &str,
) -> Result<Option<T>> {
    let content = match root.read(path) {
        Err(error) if error.is_missing() => return Ok(None),
        result => result?,
    };
    let broken = |error| format!("{error}. Do: {advice}");
    serde_json::from_slice(&content)
        .map_err(|error| Error::content("understand", root.shown(path), broken(error)))
}

/// Removes a file of ours, if it is there.
pub fn remove(folder: &Root, name: &str, kept: Kept) -> Result<()> {
    let failed = |errno| Error::system("remove", folder.shown(name.as_bytes()), errno);
    match fs::unlinkat(folder.as_fd(), name, AtFlags::empty()) {
        Ok(()) => kept.sync(folder.as_fd()).map_err(failed),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(failed(errno)),
    }
}

/// Removes what a run that was killed may have left of `put`.
pub fn remove_leftover(folder: &Root, name: &str) -> Result<()> {
    remove(folder, &temporary(name), Kept::ThisBoot)
}

fn temporary(name: &str) -> String {
    format!(".{name}.new")
}

fn write_new(
    folder: &Root,
    name: &str,
    content: &[u8],
    kept: Kept,
) -> std::result::Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW;
    let file = folder.open_with_mode(name.as_bytes(), flags, kept.mode())?;
    fs::fchmod(&file, kept.mode())?;
    write_all(&file, content)?;
    kept.sync(&file)
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
pub fn folder(root: &Root, above: &[u8], name: &str, kept: Kept) -> Result<Root> {
    let above = root.enter(above)?;
    let failed = |errno| Error::system("make directory", above.shown(name.as_bytes()), errno);
    match fs::mkdirat(above.as_fd(), name, Mode::from_raw_mode(0o755)) {
        Ok(()) => kept.sync(above.as_fd()).map_err(failed)?,
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(failed(errno)),
    }
    above.enter(name.as_bytes())
}
