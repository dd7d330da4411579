//! Archives that a kernel unpacks as its first root: the format newc of
//! Documentation/driver-api/early-userspace/buffer-format.rst.
//!
//! Everything belongs to root. Never compresses: under emulation unpacking costs more than reading.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use harness::failure::{Result, Tried};

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_777;

/// An archive in the making.
#[derive(Debug, Default)]
pub struct Cpio {
    bytes: Vec<u8>,
    entries: u32,
}

impl Cpio {
    /// Adds a folder; the one above it must be there already.
    pub fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER, b"");
    }

    /// Adds a file with these permissions.
    pub fn file(&mut self, path: &str, permissions: u32, content: &[u8]) {
        self.entry(path, FILE | permissions, content);
    }

    /// Adds a symbolic link.
    pub fn link(&mut self, path: &str, target: &str) {
        self.entry(path, LINK, target.as_bytes());
    }

    /// Adds a file of this machine.
    pub fn copy(&mut self, path: &str, permissions: u32, from: &Path) -> Result<()> {
        let content = fs::read(from).tried(format_args!("read {}", from.display()))?;
        self.file(path, permissions, &content);
        Ok(())
    }

    /// Adds what is in a folder of this machine and is kept, but device nodes and sockets. `prefix`
    /// begins each path: empty, or ending in `/`.
    pub fn tree(
        &mut self,
        folder: &Path,
        prefix: &str,
        is_kept: &dyn Fn(&str) -> bool,
    ) -> Result<()> {
        let what = || format!("read {}", folder.display());
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).tried(what())? {
            names.push(entry.tried(what())?.file_name());
        }
        names.sort();
        for name in names {
            let from = folder.join(&name);
            let path = format!("{prefix}{}", name.to_string_lossy());
            if is_kept(&path) {
                self.one(&from, &path, is_kept)?;
            }
        }
        Ok(())
    }

    fn one(&mut self, from: &Path, path: &str, is_kept: &dyn Fn(&str) -> bool) -> Result<()> {
        let about = from.symlink_metadata().tried(format_args!("stat {}", from.display()))?;
        let kind = about.file_type();
        if kind.is_dir() {
            self.folder(path);
            self.tree(from, &format!("{path}/"), is_kept)
        } else if kind.is_symlink() {
            let target = fs::read_link(from).tried(format_args!("read {}", from.display()))?;
            self.entry(path, LINK, target.as_os_str().as_encoded_bytes());
            Ok(())
        } else if kind.is_file() {
            self.copy(path, about.permissions().mode() & 0o777, from)
        } else {
            Ok(())
        }
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, b"");
        self.bytes
    }

    fn entry(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let (size, name) = (content.len() as u32, path.len() as u32 + 1);
        // Inode, mode, owner, group, links, time, size, four device numbers, name, checksum.
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name, 0];
        self.bytes.extend(b"070701");
        self.bytes.extend(fields.map(|field| format!("{field:08x}")).concat().bytes());
        self.bytes.extend(path.bytes().chain([0]));
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_form_of_the_kernels_document() {
        let mut archive = Cpio::default();
        archive.folder("a");
        archive.file("a/b", 0o755, b"hello");
        let head = "070701000000";
        let folder = "01000041ed000000000000000000000001000000000000000000000000000000000000000000\
                      0000000000000200000000a\0";
        let file = "02000081ed00000000000000000000000100000000000000050000000000000000000000000000\
                    00000000000400000000a/b\0\0\0hello\0\0\0";
        let end = "0300000000000000000000000000000001000000000000000000000000000000000000000000000\
                   0000000000b00000000TRAILER!!!\0\0\0\0";
        let expected = [head, folder, head, file, head, end].concat();
        assert_eq!(String::from_utf8_lossy(&archive.finish()), expected);
    }
}
