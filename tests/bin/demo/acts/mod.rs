//! The acts, in their order.
//!
//! An act is a file with a title and steps. It makes its own `Stage`, so it neither finds nor
//! leaves anything, and may be moved, taken out or joined by another.

mod brought_back;
mod guarded;
mod healthy;
mod kept;
mod told;
mod unguarded;

use crate::show::{End, Show};

/// One act.
#[derive(Debug)]
pub struct Act {
    /// What it is about, in a few words.
    pub title: &'static str,
    /// Its steps.
    pub play: fn(&mut Show) -> Result<(), End>,
}

/// All of them.
pub const ALL: [Act; 6] =
    [unguarded::ACT, guarded::ACT, kept::ACT, healthy::ACT, brought_back::ACT, told::ACT];

const MOUNT: &str = "mount -t ext3 guest/dev/xvda2 guest/srv";
const STATUS: &str = "xvdguard --root guest --xenstore xenstored status -v";
/// The same for programs; what is compared comes from here.
const STATUS_JSON: &str = "xvdguard --root guest --xenstore xenstored status --json";
const PROBE: &str = "xvdguard --root guest --xenstore xenstored probe -v";
/// As the hook of the initramfs runs it before root is mounted.
const EARLY_BOOT: &str =
    "xvdguard-early boot --format initramfs --root guest --xenstore xenstored -o options";
/// What the kernel believes about the disk's cache; with "write through" it sends no flush.
const WRITE_CACHE: &str = "cat guest/sys/block/xvda2/queue/write_cache";
