//! Giving a new file the owner, extended attributes and mode of the one it replaces.
//!
//! In this order: a change of the owner takes capabilities and set-id bits away (chown(2)), and an
//! access list changes the mode (acl(5)). Content is written before: that takes them away too.

use std::os::fd::OwnedFd;

use rustix::fs::{
    Gid, Mode, Stat, Uid, XattrFlags, fchmod, fchown, fgetxattr, flistxattr, fremovexattr,
    fsetxattr,
};
use rustix::io::Errno;

/// XATTR_LIST_MAX and XATTR_SIZE_MAX (linux/limits.h).
const MAX_BYTES: usize = 65536;

/// Of the inode and the bytes, not of the file: the kernel writes them itself, and a copy would
/// make the file unreadable (security/integrity/ima, security/integrity/evm).
const OF_THE_BYTES: [&[u8]; 2] = [b"security.ima", b"security.evm"];

/// What was tried, and the errno.
type Result<T> = std::result::Result<T, (&'static str, Errno)>;

/// Makes `new` look like `old`.
pub fn copy(old: &OwnedFd, stat: &Stat, new: &OwnedFd) -> Result<()> {
    let (owner, group) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    fchown(new, Some(owner), Some(group)).map_err(|errno| ("set the owner of", errno))?;
    copy_attributes(old, new)?;
    let mode = Mode::from_raw_mode(stat.st_mode);
    fchmod(new, mode).map_err(|errno| ("set the mode of", errno))
}

fn copy_attributes(old: &OwnedFd, new: &OwnedFd) -> Result<()> {
    let failed = |errno| ("copy extended attributes to", errno);
    let wanted = names(old).map_err(failed)?;
    let mut value = vec![0; MAX_BYTES];
    for name in wanted.iter().filter(|name| !OF_THE_BYTES.contains(&name.as_slice())) {
        let size = fgetxattr(old, &**name, &mut value[..]).map_err(failed)?;
        fsetxattr(new, &**name, &value[..size], XattrFlags::empty()).map_err(failed)?;
    }
    // A default access list of the directory gives every new file one. What a security module
    // gave stays: the policy would not let it go.
    let inherited = names(new).map_err(failed)?;
    let is_foreign = |name: &&Vec<u8>| !wanted.contains(name) && !name.starts_with(b"security.");
    inherited
        .iter()
        .filter(is_foreign)
        .try_for_each(|name| fremovexattr(new, &**name))
        .map_err(failed)
}

/// The names of all extended attributes; none where the file system has none.
fn names(file: &OwnedFd) -> std::result::Result<Vec<Vec<u8>>, Errno> {
    let mut list = vec![0; MAX_BYTES];
    let size = match flistxattr(file, &mut list[..]) {
        Ok(size) => size,
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => 0,
        Err(errno) => return Err(errno),
    };
    let names = list[..size].split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}
