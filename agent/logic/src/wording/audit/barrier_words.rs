//! What is said of words in mount options that a file system does not take.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::Said;
use crate::audit::{Effect, Spoken};
use crate::text::Text;

/// `barrier-word-misspelt`
pub const MISSPELT: &str = "a barrier option with a typing error: the file system is not mounted";
/// `barrier-word-refused`
pub const REFUSED: &str =
    "a barrier option that an installed kernel refuses, as XFS does nobarrier since 4.19";
/// `barrier-word-foreign`
pub const FOREIGN: &str = "a barrier option that this type of file system never had";
/// `ext-option-foreign`
pub const EXT_OPTION: &str = "errors= or data= of ext on a file system that refuses them";
/// `barrier-word-ignored`
pub const IGNORED: &str = "a barrier option that an installed kernel takes and ignores";

/// No file system has such a word.
pub fn misspelt(spoken: &Spoken<'_>) -> Said {
    let Spoken { word, fstype, .. } = spoken;
    Said::new(
        format!("no file system has an option \"{word}\": {}", refusal(spoken)),
        match &*fstype.to_string() {
            "ext3" | "ext4" => {
                "take it out. Only where barriers shall be off, at the price that the last writes \
                 before a power loss of the host are lost: barrier=0"
            }
            _ => "take it out",
        },
    )
}

/// This file system had the word, and some installed kernel has it no more, or not yet.
pub fn refused(spoken: &Spoken<'_>) -> Said {
    let Spoken { word, fstype, .. } = spoken;
    let remedy = match &*fstype.to_string() {
        "xfs" => {
            "take it out; where flushes must be off, queue/write_cache does that for every file \
             system (xvdguard does it where a backend refuses them)"
        }
        "ext3" if *word == "nobarrier" || *word == "barrier" => {
            "write barrier=0 or barrier=1, which every kernel takes"
        }
        _ => "take it out",
    };
    Said::new(format!("{fstype} has \"{word}\" on some kernels only: {}", refusal(spoken)), remedy)
}

/// The word of another file system.
pub fn foreign(spoken: &Spoken<'_>) -> Said {
    let Spoken { word, fstype, .. } = spoken;
    Said::new(
        format!("{fstype} never had an option \"{word}\": {}", refusal(spoken)),
        "take it out; barrier=0 belongs to ext3 and ext4, nobarrier to ext4 and btrfs",
    )
}

/// A word of ext on a file system that has none like it.
pub fn ext_option(spoken: &Spoken<'_>) -> Said {
    let Spoken { word, fstype, .. } = spoken;
    Said::new(
        format!("\"{word}\" belongs to ext, and {fstype} does not know it: {}", refusal(spoken)),
        "take it out",
    )
}

/// Accepted, and nothing comes of it.
pub fn ignored(spoken: &Spoken<'_>) -> Said {
    let Spoken { word, fstype, ignored_by, .. } = spoken;
    let then = match &*fstype.to_string() {
        "xfs" => "; from 4.19 on it stops the mount, so an upgrade of the kernel stops the boot",
        _ => "",
    };
    Said::new(
        format!("\"{word}\" does nothing to {fstype} on {}{then}", names(ignored_by)),
        "take it out before the next kernel comes",
    )
}

fn refusal(spoken: &Spoken<'_>) -> String {
    let effect = match spoken.effect {
        Effect::NoRoot => "cannot mount root with it: the guest does not boot",
        Effect::RootReadOnly => "refuses the remount of root at boot: it stays read-only",
        Effect::BootStops => "refuses the mount: the boot stops in an emergency shell",
        Effect::NotMounted => "refuses the mount",
    };
    format!("{} {effect}", names(&spoken.refused_by))
}

fn names(kernels: &[&Text]) -> String {
    let names: Vec<String> = kernels.iter().map(|name| name.to_string()).collect();
    let kind = if names.len() == 1 { "kernel" } else { "each of the kernels" };
    format!("{kind} {}", names.join(", "))
}
