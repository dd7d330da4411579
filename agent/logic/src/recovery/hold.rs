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

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::world::Hold;
    use super::*;

    fn hold(mark: &str, until_ms: Option<u64>) -> Hold {
        Hold { by: "host".into(), mark: mark.into(), why: None, until_ms }
    }

    /// What is in force at second ten after this was in force and that is seen.
    fn after(before: Memory, asked: Option<Hold>, is_released: bool) -> Memory {
        let releases = if is_released { vec![Release::Hold] } else { vec![] };
        let mut world = World { hold: asked, releases, ..World::default() };
        world.seen.boot_ms = 10_000;
        let mut memory = before;
        update(&mut memory, &world);
        memory
    }

    #[test]
    fn a_hold_stays_until_it_is_released_or_over() {
        let held = |until_ms| Memory { hold: Some(hold("1", until_ms)), ..Memory::default() };
        assert_eq!(after(held(None), None, false).hold, Some(hold("1", None)), "out of sight");
        assert_eq!(after(held(None), None, true).hold, None);
        assert_eq!(after(held(Some(10_000)), None, false).hold, None);
        assert_eq!(after(held(Some(10_001)), None, false).hold, Some(hold("1", Some(10_001))));
        assert_eq!(after(Memory::default(), Some(hold("1", Some(10_000))), false).hold, None);
        let later = Some(hold("1", Some(10_001)));
        assert_eq!(after(Memory::default(), later.clone(), false).hold, later);
    }

    #[test]
    fn what_was_released_holds_no_more_and_another_hold_does() {
        let released = after(Memory::default(), Some(hold("1", None)), true);
        assert_eq!(released.hold, None);
        let seen_again = after(released.clone(), Some(hold("1", None)), false);
        assert_eq!(seen_again.hold, None);
        assert_eq!(after(released, Some(hold("2", None)), false).hold, Some(hold("2", None)));
        // Its node is gone when it is released, and comes back with the next migration.
        let held = Memory { hold: Some(hold("1", None)), ..Memory::default() };
        let released = after(held, None, true);
        assert_eq!(after(released, Some(hold("1", None)), false).hold, None);
    }
}
