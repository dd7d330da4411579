//! The hold: "no automatic action", latched.
//!
//! Only a release or its own end takes it away, never that it can no longer be seen: after a
//! migration the host's node is gone, and nobody changed their mind.

use super::memory::Memory;
use super::world::{Release, World};

/// Takes what is asked for now into memory. Whether a hold is in force is then `memory.hold`.
pub(crate) fn update(memory: &mut Memory, world: &World) {
    let now_ms = world.seen.boot_ms;
    if world.releases.contains(&Release::Hold) {
        // What can still be seen is what was released.
        memory.released = world.hold.clone().or_else(|| memory.hold.clone());
        memory.hold = None;
    }
    let is_over = |until_ms: Option<u64>| until_ms.is_some_and(|until_ms| until_ms <= now_ms);
    if let Some(asked) = &world.hold
        && memory.released.as_ref() != Some(asked)
        && !is_over(asked.until_ms)
    {
        memory.hold = Some(asked.clone());
    }
    if memory.hold.as_ref().is_some_and(|hold| is_over(hold.until_ms)) {
        memory.hold = None;
    }
}
