//! Why a file of the administrator's is not replaced, and what to do; each goes on after
//! "cannot replace /etc/fstab: ".

use alloc::format;
use alloc::string::String;
use core::fmt::Display;

use crate::text::Text;

/// It is a symbolic link.
pub const SYMBOLIC_LINK: &str = "it is a symbolic link, and a rename would put a file in its \
    place. Do: make it a file (cp --remove-destination \"$(readlink -f FILE)\" FILE)";

/// It is a directory, a device, a pipe.
pub const NO_FILE: &str = "it is no regular file. Do: make it one";

/// Something is mounted on the file itself, which rename(2) would answer with EBUSY.
pub const MOUNT_POINT: &str = "something is mounted on the file itself, so it cannot be renamed \
    over. Do: umount it, or change the file where the mount comes from";

/// Its bytes or its inode are no longer those that were read.
pub const CHANGED: &str = "somebody changed it meanwhile, and that change is kept. Do: close \
    editors and try again";

/// It has other names, which would keep the old bytes.
pub fn hard_links(names: impl Display) -> String {
    format!(
        "it has {names} names (hard links), and only this one would get the new content. Do: find \
         the others with find -samefile and remove them"
    )
}

/// An editor has left the sign that it edits the file.
pub fn being_edited(sign: &Text) -> String {
    format!(
        "an editor has it open, as {sign} beside it says. Do: close the editor, or remove \
         {sign} if none is running"
    )
}
