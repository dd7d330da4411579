//! The archive: tar, the same bytes for the same entries.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use tar::{Builder, EntryType, Header};
use xvdguard_linux::error::{Error, Result};

use super::{Content, Entry};

/// Packs the entries; everything belongs to root and has no time.
pub fn pack(entries: &[Entry]) -> std::result::Result<Vec<u8>, String> {
    let mut archive = Builder::new(Vec::new());
    for entry in entries {
        append(&mut archive, entry).map_err(|error| format!("cannot pack: {error}"))?;
    }
    archive.into_inner().map_err(|error| format!("cannot pack: {error}"))
}

fn append(archive: &mut Builder<Vec<u8>>, entry: &Entry) -> io::Result<()> {
    let path = Path::new(OsStr::from_bytes(&entry.path));
    let mut header = Header::new_gnu();
    header.set_mtime(0);
    match &entry.content {
        Content::File(bytes) => {
            header.set_mode(0o644);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, path, &bytes[..])
        }
        Content::Folder => {
            header.set_entry_type(EntryType::Directory);
            header.set_mode(0o755);
            header.set_size(0);
            archive.append_data(&mut header, path, io::empty())
        }
        Content::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            header.set_mode(0o777);
            header.set_size(0);
            archive.append_link(&mut header, path, Path::new(OsStr::from_bytes(target)))
        }
    }
}

/// Writes the archive.
pub fn save(path: &Path, archive: &[u8]) -> Result<()> {
    std::fs::write(path, archive).map_err(|error| {
        let errno = error.raw_os_error().unwrap_or(0);
        Error::from_errno("write", path.as_os_str().as_bytes(), errno)
    })
}
