//! `xvdguard-early queue NAME`: what the udev rule is to set, as lines for IMPORT{program}.
//!
//! Sends no flush, writes nothing, and says nothing on its standard output but these lines.

use std::fmt::Write;
use std::time::{Duration, Instant};

use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::world::World;
use xvdguard_logic::policy::queue::wanted;

use crate::arguments::Queue;
use crate::policy;

/// udev waits for this answer while the disk appears.
const DEADLINE: Duration = Duration::from_millis(200);

/// `XVDGUARD_MAX_SECTORS_KB=4`, a line each; nothing where nothing is wanted.
pub fn lines(options: &Queue) -> String {
    let mut lines = String::new();
    let Ok(root) = options.places.open_root() else { return lines };
    let (policy, _) = policy::read(&root, options.policy.as_deref(), &mut Vec::new());
    if policy.inert.is_some() || policy.queue.is_empty() {
        return lines;
    }
    let deadline = Instant::now() + DEADLINE;
    let Ok(mut world) = World::open(&options.places, deadline) else { return lines };
    let look = Look { depth: Depth::Decisive, deadline };
    let Some(disk) = world.observe_vbd(&options.name, look) else { return lines };
    for (attribute, chosen) in wanted(&policy.queue, &disk) {
        let name = attribute.name().to_ascii_uppercase();
        let _ = writeln!(lines, "XVDGUARD_{name}={}", chosen.value);
    }
    lines
}
