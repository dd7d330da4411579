//! The one clock of decisions: CLOCK_BOOTTIME, which goes on through suspend and migration.

use std::time::Duration;

use rustix::thread::{NanosleepRelativeResult, nanosleep};
use rustix::time::{ClockId, Timespec, clock_gettime};

/// Milliseconds since boot.
pub fn boot_ms() -> u64 {
    milliseconds(ClockId::Boottime)
}

/// Milliseconds since boot in which the guest slept.
pub fn slept_ms() -> u64 {
    // In this order: what passes between the two must not look like sleep.
    let boot_ms = boot_ms();
    boot_ms.saturating_sub(milliseconds(ClockId::Monotonic))
}

fn milliseconds(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let milliseconds = u64::try_from(now.tv_nsec).unwrap_or(0) / 1_000_000;
    seconds * 1000 + milliseconds
}

/// Milliseconds since 1970, by the wall clock, which may jump: only for people.
pub fn unix_ms() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// Waits. Only where another sets the pace (rate limited lines, a lock's holder, a backend).
pub fn pause(duration: Duration) {
    let mut left = Timespec {
        tv_sec: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(duration.subsec_nanos()),
    };
    while let NanosleepRelativeResult::Interrupted(rest) = nanosleep(&left) {
        left = rest;
    }
}
