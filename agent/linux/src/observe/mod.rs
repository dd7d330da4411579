//! Observe: one pass over the readers below, one `Observation`.
//!
//! What cannot be read is noted in `oddities` and left out: half a look is better than none.

pub mod block_devices;
pub mod kernel_log;
pub mod machine;
pub mod vbds;

use std::time::Instant;

use xvdguard_logic::block::BlockTree;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::{mountinfo, volume};

use crate::clock;
use crate::error::Result;
use crate::root::Root;
use crate::world::World;
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
    let mut seen = Observation { boot_ms: clock::boot_ms(), ..Observation::default() };
    machine::read(root, &mut seen);
    let block = block_devices::read(root, look.depth, &mut seen.oddities);
    let mut vbds = vbds::by_sysfs(root, &block.disks, &mut seen.oddities);
    if let Some(xenstore) = xenstore {
        asker(xenstore, look.deadline, &mut seen.oddities).read_keys(&mut vbds, look.depth);
    }
    seen.disks = vbds::into_disks(vbds, block.disks);
    seen.volumes = volumes(root, &block.tree, &mut seen.oddities);
    seen.block = block.tree;
    note(log.drain(), &mut seen.oddities);
    seen.log = log.log().clone();
    seen
}

/// Looks again at what a probe may have changed: keys, queues and the log.
pub fn look_again(world: &mut World, seen: &mut Observation, deadline: Instant) {
    let World { root, xenstore, log, .. } = world;
    for disk in &mut seen.disks {
        if let Some(device) = &mut disk.device {
            block_devices::read_write_cache(root, &disk.name, device, &mut seen.oddities);
        }
    }
    if let Some(xenstore) = xenstore {
        let vbds = seen.disks.iter_mut().filter_map(|disk| disk.vbd.as_mut());
        asker(xenstore, deadline, &mut seen.oddities).read_features(vbds);
    }
    note(log.drain(), &mut seen.oddities);
    seen.log = log.log().clone();
    seen.boot_ms = clock::boot_ms();
}

fn asker<'a>(
    xenstore: &'a mut Source,
    deadline: Instant,
    oddities: &'a mut Vec<String>,
) -> Asker<'a> {
    Asker { xenstore, deadline, oddities }
}

fn volumes(root: &Root, tree: &BlockTree, oddities: &mut Vec<String>) -> Vec<volume::Volume> {
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
    volume::volumes(&mounts, tree)
}

fn note(result: Result<()>, oddities: &mut Vec<String>) {
    if let Err(error) = result {
        oddities.push(error.to_string());
    }
}
