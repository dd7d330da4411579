//! Replacing a file of the administrator's: at every moment its name shows the old or the new
//! bytes, whole, with the same mode, owner and extended attributes.
//!
//! The new file is written beside the old one and renamed, so whatever a rename would spoil is
//! refused: links, mounts, what somebody else is changing. Never called without the lock
//! (`reports::lock`), which makes the temporary file that may be found there a dead run's.

mod likeness;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, Stat, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::rewrite as wording;

use crate::error::{Error, Result};
use crate::root::{Root, read_whole};
use crate::whole_file::write_all;

/// A file of the administrator's, as it was read.
#[derive(Debug)]
pub struct Original {
    folder: Root,
    name: Vec<u8>,
    seen: Seen,
}

/// What a name showed.
#[derive(Debug)]
struct Seen {
    file: OwnedFd,
    stat: Stat,
    content: Vec<u8>,
}

impl Original {
    /// Reads the file. An error: it cannot be read, or it could not be replaced as it is.
    pub fn read(root: &Root, path: &[u8]) -> Result<Original> {
        let (folder, name) = place(root, path)?;
        let seen = look(&folder, name)?;
        let original = Original { folder, name: name.to_vec(), seen };
        match original.obstacle() {
            Some(why) => Err(Error::content("replace", original.shown(), why)),
            None => Ok(original),
        }
    }

    /// Its bytes.
    pub fn content(&self) -> &[u8] {
        &self.seen.content
    }

    /// Its path as a person would type it.
    pub fn shown(&self) -> Text {
        self.folder.shown(&self.name)
    }

    /// Puts `new` in its place. After an error the old bytes are there, but where syncing the
    /// directory failed: then the new ones are, and a power loss may undo that.
    pub fn replace(&self, new: &[u8]) -> Result<()> {
        let temporary = self.temporary();
        let renamed = self.write_beside(&temporary, new).and_then(|()| {
            self.check_unchanged()?;
            let folder = self.folder.as_fd();
            fs::renameat(folder, &*temporary, folder, &*self.name).map_err(|errno| match errno {
                // What kernels without statx(2) let pass until here.
                Errno::BUSY => Error::content("replace", self.shown(), wording::MOUNT_POINT),
                errno => Error::system("replace", self.shown(), errno),
            })
        });
        if renamed.is_err() {
            let _ = fs::unlinkat(self.folder.as_fd(), &*temporary, AtFlags::empty());
        }
        renamed?;
        fs::fsync(self.folder.as_fd())
            .map_err(|errno| Error::system("sync the directory of", self.shown(), errno))
    }

    /// Always the same name: more than one can never be left.
    fn temporary(&self) -> Vec<u8> {
        temporary(&self.name)
    }

    fn write_beside(&self, temporary: &[u8], new: &[u8]) -> Result<()> {
        remove_from(&self.folder, temporary)?;
        let failed = |errno| Error::system("write", self.folder.shown(temporary), errno);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        let file = self.folder.open_with_mode(temporary, flags, mode).map_err(failed)?;
        write_all(&file, new).map_err(failed)?;
        likeness::copy(&self.seen.file, &self.seen.stat, &file)
            .map_err(|(what, errno)| Error::system(what, self.folder.shown(temporary), errno))?;
        fs::fsync(&file).map_err(failed)
    }

    /// Somebody who changed it since it was read changed its bytes, its inode or its times.
    fn check_unchanged(&self) -> Result<()> {
        let now = look(&self.folder, &self.name)?;
        let essence = |stat: &Stat| {
            let changed = (stat.st_ctime, stat.st_ctime_nsec);
            (stat.st_dev, stat.st_ino, stat.st_mode, stat.st_nlink, changed)
        };
        let is_same =
            essence(&now.stat) == essence(&self.seen.stat) && now.content == self.seen.content;
        if is_same {
            return Ok(());
        }
        Err(Error::content("replace", self.shown(), wording::CHANGED))
    }

    /// Why it must not be replaced.
    fn obstacle(&self) -> Option<String> {
        let Seen { file, stat, .. } = &self.seen;
        if is_mount_point(file.as_fd()) {
            return Some(wording::MOUNT_POINT.into());
        }
        if stat.st_nlink > 1 {
            return Some(wording::hard_links(stat.st_nlink));
        }
        let sign = self.editor_sign()?;
        Some(wording::being_edited(&sign))
    }

    /// The swap file of vim and nano, the lock of emacs (a link to nowhere).
    fn editor_sign(&self) -> Option<Text> {
        let signs = [[b".", &*self.name, b".swp"].concat(), [b".#", &*self.name].concat()];
        let is_there = |sign: &Vec<u8>| {
            fs::statat(self.folder.as_fd(), &**sign, AtFlags::SYMLINK_NOFOLLOW).is_ok()
        };
        signs.into_iter().find(is_there).map(Text::from)
    }
}

/// Removes what a run that was killed may have left beside the file.
pub fn remove_leftover(root: &Root, path: &[u8]) -> Result<()> {
    let (folder, name) = place(root, path)?;
    remove_from(&folder, &temporary(name))
}

/// The directory of a file, and its name there.
fn place<'a>(root: &Root, path: &'a [u8]) -> Result<(Root, &'a [u8])> {
    let (above, name) = match path.iter().rposition(|byte| *byte == b'/') {
        Some(at) => (&path[..at], &path[at + 1..]),
        None => (&b"."[..], path),
    };
    Ok((root.enter(above)?, name))
}

fn temporary(name: &[u8]) -> Vec<u8> {
    [b".", name, b".xvdguard-new"].concat()
}

fn remove_from(folder: &Root, temporary: &[u8]) -> Result<()> {
    match fs::unlinkat(folder.as_fd(), temporary, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(Error::system("remove", folder.shown(temporary), errno)),
    }
}

fn look(folder: &Root, name: &[u8]) -> Result<Seen> {
    let refused = |why: &str| Error::content("replace", folder.shown(name), why);
    let failed = |errno| match errno {
        Errno::LOOP => refused(wording::SYMBOLIC_LINK),
        errno => Error::system("read", folder.shown(name), errno),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = folder.open(name, flags).map_err(failed)?;
    let stat = fs::fstat(&file).map_err(failed)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(refused(wording::NO_FILE));
    }
    let content = read_whole(file.as_fd()).map_err(failed)?;
    Ok(Seen { file, stat, content })
}

/// Whether the file itself is mounted there. Kernels before 5.8 do not say; there the rename is
/// refused with EBUSY. st_dev would not do: overlayfs shows others for its files.
fn is_mount_point(file: BorrowedFd<'_>) -> bool {
    let seen = fs::statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::empty());
    seen.is_ok_and(|seen| seen.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(test)]
mod tests;
