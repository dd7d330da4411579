//! What a guest is to be: its kernel, its disks with what the host does to them, and how xvdguard
//! is configured in it.

use crate::build::GuestKernel;
use crate::scenario::Host;

/// A guest to be played.
#[derive(Debug)]
pub struct Order<'a> {
    /// What it runs.
    pub kernel: &'a GuestKernel,
    /// Where `xvdguard-early` runs in it: how it is configured.
    pub guard: Option<Guard<'a>>,
    /// Its disks, in the order of their names.
    pub disks: Vec<Placed>,
    /// What it runs.
    pub system: System,
}

/// What a guest runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// A program that plays by itself and reports.
    Report,
    /// The same as far as xvdguard, and then the agent.
    Tiny,
    /// The same, and its first disk is its root, where the daemon runs.
    OwnRoot,
    /// Debian, with the agent.
    Debian,
    /// Debian, whose boot sends no flush to the node of the root disk: neither fsck nor systemd's
    /// search for GPT partitions, which both end in one. One that is alone when it is refused does
    /// no harm, and saves the journal, whose flush would have been next.
    DebianWithoutFlush,
    /// Debian with an image that has no hook, as where kernel and ramdisk are the host's.
    DebianWithoutHook,
    /// Debian with the image that it has made itself.
    DebianItself,
    /// An image in which something is broken, on Debian's disk.
    Broken,
}

/// How `xvdguard-early` is configured in a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard<'a> {
    /// Words on the kernel command line.
    pub words: &'a str,
    /// A line of the policy in the image.
    pub policy: &'a str,
}

/// A disk of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The scenario that it is a part of.
    pub scenario: usize,
    /// `root`, `data` or `read`.
    pub role: &'static str,
    /// What the host does to it.
    pub host: Host,
}

/// The name of the disk in this place: `xvda`, and `xvdaa` behind `xvdz`.
pub fn disk_name(place: usize) -> String {
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).unwrap_or(0));
    let first = (place / 26).checked_sub(1).map(letter).map(String::from).unwrap_or_default();
    format!("xvd{first}{}", letter(place))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_are_named_as_the_kernel_names_them() {
        let names = [0, 25, 26, 99].map(disk_name);
        assert_eq!(names, ["xvda", "xvdz", "xvdaa", "xvdcv"]);
    }
}
