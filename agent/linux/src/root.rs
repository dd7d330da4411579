//! The directory that is the machine: `/`, or any other for `--root`.
//!
//! Every reader and every write goes through a `Root`. Below another directory than `/`, symbolic
//! links resolve inside it, however they are written, so that a recording can never lead out.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    self, AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, SeekFrom, Stat, seek,
};
use rustix::io::{Errno, read};
use xvdguard_logic::order;
use xvdguard_logic::text::Text;

use crate::error::{Error, Result};
use crate::resolve;

/// Files in sysfs and procfs are small; one that exceeds this is not what it should be.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of one read(2): a value in sysfs is never longer than a page.
const READ_BYTES: usize = 4096;

/// Bytes of one getdents64(2): most directories of sysfs fit.
const ENTRIES_BYTES: usize = 8192;

/// A directory handle; all paths are relative to it.
#[derive(Debug)]
pub struct Root {
    dir: OwnedFd,
    name: Text,
    is_machine: bool,
}

impl Root {
    /// The machine itself.
    pub fn machine() -> Result<Root> {
        Root::open_dir(b"/", true)
    }

    /// Another directory that plays the machine.
    pub fn at(path: &[u8]) -> Result<Root> {
        Root::open_dir(path, false)
    }

    /// The same directory by its name again, for a child that has closed its files.
    pub fn reopen(&self) -> Result<Root> {
        Root::open_dir(self.name.as_bytes(), self.is_machine)
    }

    fn open_dir(path: &[u8], is_machine: bool) -> Result<Root> {
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let dir = fs::open(path, flags, Mode::empty())
            .map_err(|errno| Error::system("open directory", path, errno))?;
        Ok(Root { dir, name: Text::from(path), is_machine })
    }

    /// Whether this is the machine itself and not a directory that plays one.
    pub fn is_machine(&self) -> bool {
        self.is_machine
    }

    /// The path as a person would type it, for messages.
    pub fn shown(&self, path: &[u8]) -> Text {
        let start = self.name.as_bytes();
        let start = start.strip_suffix(b"/").unwrap_or(start);
        Text::from([start, b"/", path].concat())
    }

    /// Opens a path below this root.
    pub fn open(&self, path: &[u8], flags: OFlags) -> std::result::Result<OwnedFd, Errno> {
        self.open_with_mode(path, flags, Mode::empty())
    }

    /// Opens or creates a path below this root.
    pub fn open_with_mode(
        &self,
        path: &[u8],
        flags: OFlags,
        mode: Mode,
    ) -> std::result::Result<OwnedFd, Errno> {
        let flags = flags | OFlags::CLOEXEC;
        if self.is_machine {
            return fs::openat(&self.dir, path, flags, mode);
        }
        match fs::openat2(&self.dir, path, flags, mode, ResolveFlags::IN_ROOT) {
            // Before 5.6, or where a sandbox forbids the call: the same walk by hand.
            Err(Errno::NOSYS | Errno::PERM) => resolve::open_inside(&self.dir, path, flags, mode),
            result => result,
        }
    }

    /// A directory below this root as a root of its own: short paths, and nothing leads out of it.
    pub fn enter(&self, path: &[u8]) -> Result<Root> {
        let dir = self
            .open(path, OFlags::DIRECTORY | OFlags::RDONLY)
            .map_err(|errno| Error::system("open directory", self.shown(path), errno))?;
        Ok(Root { dir, name: self.shown(path), is_machine: self.is_machine })
    }

    /// The whole content of a file.
    pub fn read(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.read_until(path, End::Nothing)
    }

    fn read_until(&self, path: &[u8], end: End) -> Result<Vec<u8>> {
        let failed = |errno| Error::system("read", self.shown(path), errno);
        let file = self.open(path, OFlags::RDONLY | OFlags::NONBLOCK).map_err(failed)?;
        read_all(file.as_fd(), end).map_err(failed)
    }

    /// A value of sysfs or sysctl.
    pub fn read_value(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.read_until(path, End::Short)
    }

    /// A small file without its final newline; `None` where it does not exist.
    pub fn read_text(&self, path: &[u8]) -> Result<Option<Text>> {
        match self.read_value(path) {
            Ok(mut content) => {
                if content.ends_with(b"\n") {
                    content.pop();
                }
                Ok(Some(Text::from(content)))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names in a directory, without `.` and `..`; empty where it does not exist.
    pub fn list(&self, path: &[u8]) -> Result<Vec<Text>> {
        match self.entries(path) {
            Ok(names) => Ok(names),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(Vec::new()),
            Err(errno) => Err(Error::system("list", self.shown(path), errno)),
        }
    }

    fn entries(&self, path: &[u8]) -> std::result::Result<Vec<Text>, Errno> {
        entries_of(self.open(path, OFlags::DIRECTORY | OFlags::RDONLY)?.as_fd())
    }

    /// The names in this very directory.
    pub fn names(&self) -> Result<Vec<Text>> {
        seek(&self.dir, SeekFrom::Start(0))
            .and_then(|_| entries_of(self.dir.as_fd()))
            .map_err(|errno| Error::system("list", self.name.clone(), errno))
    }

    /// The target of a symbolic link in this very directory; `None` where there is none.
    pub fn read_link(&self, name: &[u8]) -> Option<Text> {
        let target = fs::readlinkat(&self.dir, name, Vec::new()).ok()?;
        Some(Text::from(target.into_bytes()))
    }

    /// What stat(2) says, links followed inside this root.
    pub fn stat(&self, path: &[u8]) -> Result<Stat> {
        let found = match self.is_machine {
            true => fs::statat(&self.dir, path, AtFlags::empty()),
            false => self.open(path, OFlags::PATH).and_then(|file| fs::fstat(&file)),
        };
        found.map_err(|errno| Error::system("stat", self.shown(path), errno))
    }

    /// Whether a path is a symbolic link itself.
    pub fn is_link(&self, name: &[u8]) -> bool {
        let stat = fs::statat(&self.dir, name, AtFlags::SYMLINK_NOFOLLOW);
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink)
    }

    /// The handle, for calls that take one.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.dir.as_fd()
    }
}

fn entries_of(dir: BorrowedFd<'_>) -> std::result::Result<Vec<Text>, Errno> {
    let mut names = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); ENTRIES_BYTES];
    let mut entries = RawDir::new(dir, &mut buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(Text::from(name));
        }
    }
    order::sort(&mut names);
    Ok(names)
}

/// What tells that a file has been read to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// A read(2) that gives nothing: true for every file.
    Nothing,
    /// One that gives less than was asked for: one call saved for each value of sysfs and sysctl.
    /// Not true for mountinfo, where a read ends with a line.
    Short,
}

/// The whole content of a file that a person named, from the working directory on.
pub fn read_named(path: &[u8]) -> Result<Vec<u8>> {
    let failed = |errno| Error::system("read", path, errno);
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::open(path, flags, Mode::empty()).map_err(failed)?;
    read_whole(file.as_fd()).map_err(failed)
}

/// The rest of an open file.
pub fn read_whole(file: BorrowedFd<'_>) -> std::result::Result<Vec<u8>, Errno> {
    read_all(file, End::Nothing)
}

fn read_all(file: BorrowedFd<'_>, end: End) -> std::result::Result<Vec<u8>, Errno> {
    let mut content = Vec::new();
    let mut buffer = [MaybeUninit::uninit(); READ_BYTES];
    loop {
        match read(file, &mut buffer) {
            Ok(([], _)) => return Ok(content),
            Ok(_) if content.len() > MAX_BYTES => return Err(Errno::FBIG),
            Ok((bytes, unused)) => {
                content.extend_from_slice(bytes);
                if end == End::Short && !unused.is_empty() {
                    return Ok(content);
                }
            }
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    fn sample() -> (tempfile::TempDir, Root) {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("sys/devices/xvda")).unwrap();
        std::fs::create_dir_all(dir.path().join("sys/block")).unwrap();
        std::fs::write(dir.path().join("sys/devices/xvda/size"), "16\n").unwrap();
        symlink("../devices/xvda", dir.path().join("sys/block/xvda")).unwrap();
        symlink("/sys/devices/xvda", dir.path().join("sys/block/absolute")).unwrap();
        symlink("../../../../../../etc", dir.path().join("sys/escape")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        (dir, root)
    }

    #[test]
    fn links_resolve_inside_the_root() {
        let (_dir, root) = sample();
        for path in ["sys/block/xvda/size", "sys/block/absolute/size"] {
            assert_eq!(root.read_text(path.as_bytes()).unwrap(), Some("16".into()), "{path}");
        }
        assert_eq!(root.read_text(b"sys/escape/passwd").unwrap(), None);
    }

    #[test]
    fn what_is_missing_is_none_and_what_fails_says_where() {
        let (dir, root) = sample();
        assert_eq!(root.read_text(b"no/such").unwrap(), None);
        let error = root.read_text(b"sys/block").unwrap_err().to_string();
        assert!(error.contains(&*dir.path().to_string_lossy()), "{error}");
        assert!(error.ends_with("(os error 21)"), "{error}");
    }

    #[test]
    fn a_text_of_any_length_is_whole_and_loses_one_newline() {
        let (dir, root) = sample();
        for length in [0, 1, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1, 3 * READ_BYTES] {
            let text = "x".repeat(length);
            std::fs::write(dir.path().join("text"), format!("{text}\n\n")).unwrap();
            assert_eq!(root.read_text(b"text").unwrap(), Some(format!("{text}\n").into()));
            assert_eq!(root.read(b"text").unwrap(), format!("{text}\n\n").as_bytes());
        }
    }

    #[test]
    fn a_directory_can_be_entered_and_listed() {
        let (_dir, root) = sample();
        let disk = root.enter(b"sys/block/xvda").unwrap();
        assert_eq!(disk.names().unwrap(), [Text::from("size")]);
        assert_eq!(
            root.enter(b"sys/block").unwrap().read_link(b"xvda"),
            Some("../devices/xvda".into())
        );
    }
}
