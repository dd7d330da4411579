//! Observe: one pass over the readers below, one `Observation`.
//!
//! What cannot be read is noted in `oddities` and left out: half a look is better than none.

pub mod block_devices;
pub mod fstab;
pub mod kernel_log;
pub mod machine;
pub mod queues;
pub mod setup;
pub mod vbds;

use std::collections::BTreeMap;
use std::time::Instant;

use xvdguard_logic::disk::Disk;
use xvdguard_logic::mountinfo::{self, Mount};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;
use xvdguard_logic::volume;

use crate::root::Root;
use crate::xenstore::Source;
use kernel_log::KernelLogReader;
use vbds::{Asker, Depth};

/// How to look.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// How much is read.
    pub depth: Depth,
    /// When xenstore must have answered.
    pub deadline: Instant,
}

/// Looks at everything.
pub fn observe(
    root: &Root,
    xenstore: Option<&mut Source>,
    log: &mut KernelLogReader,
    look: Look,
) -> Observation {
    let mut seen = Observation { boot_ms: machine::boot_ms(root), ..Observation::default() };
    machine::read(root, &mut seen);
    let mut vbds = vbds::by_sysfs(root, None, &mut seen.oddities);
    let names = vbds::block_names(&vbds);
    let block = block_devices::read(root, &names, look.depth, &mut seen.oddities);
    if let Some(xenstore) = xenstore {
        let oddities = &mut seen.oddities;
        Asker { xenstore, deadline: look.deadline, oddities }
            .read_keys(&mut vbds, true, look.depth);
    }
    seen.disks = vbds::into_disks(vbds, block.disks);
    seen.mounts = mounts(root, &mut seen.oddities);
    seen.volumes = volume::volumes(&seen.mounts, &block.tree);
    seen.block = block.tree;
    note_log(log, &mut seen);
    seen
}

/// Looks at one disk and its vbd alone, with none of its queue; none where the xen bus does not
/// have it. udev asks so for each disk that appears.
pub fn observe_vbd(
    root: &Root,
    xenstore: Option<&mut Source>,
    name: &Text,
    look: Look,
) -> Option<Disk> {
    let mut oddities = Vec::new();
    let mut vbds = vbds::by_sysfs(root, Some(name), &mut oddities);
    if let Some(xenstore) = xenstore {
        let oddities = &mut oddities;
        Asker { xenstore, deadline: look.deadline, oddities }
            .read_keys(&mut vbds, false, look.depth);
    }
    vbds::into_disks(vbds, BTreeMap::new()).pop()
}

/// Brings the facts of the log up to date.
pub fn note_log(log: &mut KernelLogReader, seen: &mut Observation) {
    if let Err(error) = log.drain() {
        seen.oddities.push(error.to_string());
    }
    seen.log = log.log().clone();
}

/// Everything that is mounted.
pub fn mounts(root: &Root, oddities: &mut Vec<String>) -> Vec<Mount> {
    let path = b"proc/self/mountinfo";
    let content = match root.read(path) {
        Ok(content) => content,
        Err(error) => {
            oddities.push(format!("{error}; no volume is known"));
            return Vec::new();
        }
    };
    let (mounts, broken) = mountinfo::parse(&content);
    if broken > 0 {
        oddities.push(format!("{}: {broken} lines are no mountinfo, ignoring", root.shown(path)));
    }
    mounts
}
