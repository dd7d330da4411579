//! Whether a device is free: nobody has it mounted, opened for himself, or below something else.
//!
//! umount(2) may return 0 and leave the super block alive in another mount namespace; a check of
//! such a device would destroy it. Never writes.

use rustix::fs::OFlags;
use rustix::io::Errno;
use xvdguard_logic::recovery::effects::{FailureKind, Target};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, place, refusal};
use crate::error::Error;
use crate::root::Root;

/// Refuses with the name of whoever has it.
pub fn check(root: &Root, target: &Target) -> Result<(), Refusal> {
    let node = place::node(root, &target.device_name, target.device)?;
    let shown = root.shown(&node);
    let busy = |why: String| Err(refusal(FailureKind::Busy, why));
    let here = place::mounts(root)?;
    if let Some(mount) = here.iter().find(|mount| mount.device == target.device) {
        return busy(wording::still_mounted(&shown, &mount.mount_point));
    }
    if is_alive(root, target) {
        return busy(wording::alive_elsewhere(&shown, &namespaces(root, target)));
    }
    let folder = [b"sys/class/block/", target.device_name.as_bytes(), b"/holders"].concat();
    let holders = root.list(&folder).unwrap_or_default();
    if let Some(holder) = holders.first() {
        return busy(wording::below_another(&shown, holder));
    }
    if let Some(what) = swap(root, &shown) {
        return busy(what);
    }
    // Not opened for writing: closing it again would make udev read the whole disk anew. A mounted
    // device, one that is part of another or one that a check works on refuses O_EXCL (open(2)).
    match root.open(&node, OFlags::RDONLY | OFlags::EXCL | OFlags::NONBLOCK) {
        Ok(_) => Ok(()),
        Err(Errno::BUSY) => busy(wording::opened_by_another(&shown, &namespaces(root, target))),
        Err(errno) => {
            Err(refusal(FailureKind::Storage, Error::system("open", shown.clone(), errno)))
        }
    }
}

/// The kernel keeps this folder as long as the super block is alive, wherever it is mounted. That
/// of btrfs is called by UUID, and O_EXCL alone tells.
fn is_alive(root: &Root, target: &Target) -> bool {
    let driver = match target.fstype.as_bytes() {
        b"ext2" | b"ext3" | b"ext4" => "ext4",
        b"xfs" => "xfs",
        _ => return false,
    };
    let folder = format!("sys/fs/{driver}/");
    let path = [folder.as_bytes(), target.device_name.as_bytes()].concat();
    root.stat(&path).is_ok()
}

/// Processes in whose mount namespace it is still mounted, the first few.
fn namespaces(root: &Root, target: &Target) -> Vec<String> {
    const MOST: usize = 4;
    let number = format!(" {} ", target.device);
    let mut found = Vec::new();
    for pid in root.list(b"proc").unwrap_or_default() {
        if found.len() == MOST || pid.number().is_none() {
            continue;
        }
        let file = |name: &[u8]| [b"proc/", pid.as_bytes(), b"/", name].concat();
        let mounts = root.read(&file(b"mountinfo")).unwrap_or_default();
        if mounts.windows(number.len()).any(|part| part == number.as_bytes()) {
            let name = root.read_text(&file(b"comm")).ok().flatten().unwrap_or_default();
            found.push(wording::process(&name, &pid));
        }
    }
    found
}

fn swap(root: &Root, node: &Text) -> Option<String> {
    let swaps = root.read(b"proc/swaps").unwrap_or_default();
    let is_swap = swaps.split(|byte| *byte == b'\n').any(|line| {
        let path = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        path == node.as_bytes()
    });
    is_swap.then(|| wording::is_swap(node))
}
