//! Matching takes no memory: the daemon does it while the machine may have none to give.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use harness::messages::{Messages, forge};
use harness::random::Random;
use xvdguard_logic::kernel_log::matcher;

struct Counting;

thread_local! {
    /// What this thread has asked for.
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: both calls go to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending has no counter any more.
        let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
        // SAFETY: the caller's layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's pointer and layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn matching_allocates_nothing() {
    let messages = Messages::read().unwrap();
    let mut random = Random::from_environment();
    let rows = (0..messages.rows.len()).cycle().take(10_000);
    let lines: Vec<_> = rows.map(|row| forge(&messages, row, &mut random).unwrap()).collect();
    let before = ASKED.get();
    let understood = lines.iter().filter(|line| matcher::find(line).is_some()).count();
    assert_eq!(ASKED.get() - before, 0);
    assert!(understood > 1000, "only {understood} lines said something");
}
