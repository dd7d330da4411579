//! The reboot ladder: each rung is tried, given its time, and followed by a harder one.
//!
//! ```text
//! announce → PID 1 by signal → (orderly deadline) → sysrq s → sysrq u → reboot(2) → sysrq b
//! ```
//!
//! Allocates nothing and knows no system call: what it does goes through `Hands`, so that tests
//! see the whole ladder without rebooting anything. Never waits without a bound.

/// What the ladder does and looks at.
pub trait Hands {
    /// CLOCK_BOOTTIME.
    fn now_ms(&mut self) -> u64;
    /// Waits.
    fn pause_ms(&mut self, time_ms: u64);
    /// Tells which rung is next.
    fn announce(&mut self, rung: Rung);
    /// Asks PID 1 for a reboot; false where it could not be asked.
    fn ask_init(&mut self) -> bool;
    /// Whether disks that are not dead were written to since this was asked last.
    fn are_others_writing(&mut self) -> bool;
    /// Writes one key to `/proc/sysrq-trigger`; false where that is refused.
    fn sysrq(&mut self, key: u8) -> bool;
    /// Calls reboot(2), which may never return, without waiting for it.
    fn reboot(&mut self);
}

/// A rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// The init is asked for an orderly reboot.
    Init,
    /// What can be written back is (sysrq s).
    Sync,
    /// What can be made read-only is (sysrq u).
    ReadOnly,
    /// reboot(2).
    Reboot,
    /// The machine is reset (sysrq b).
    Reset,
}

/// The kernel writes back and remounts in a work queue (drivers/tty/sysrq.c): writing the key
/// returns at once, so it is given time, and never more than this: a dead disk takes for ever.
pub const SYSRQ_MS: u64 = 5_000;
/// reboot(2) shuts every device down, and one of them is dead.
pub const REBOOT_MS: u64 = 30_000;
/// How often it is looked whether healthy disks are still being written.
pub const LOOK_MS: u64 = 5_000;

/// Climbs. Returns where even the last rung did not end this machine.
pub fn climb(hands: &mut impl Hands, orderly_ms: u64) {
    hands.announce(Rung::Init);
    if hands.ask_init() {
        wait_orderly(hands, orderly_ms);
    }
    for (rung, key) in [(Rung::Sync, b's'), (Rung::ReadOnly, b'u')] {
        hands.announce(rung);
        if hands.sysrq(key) {
            hands.pause_ms(SYSRQ_MS);
        }
    }
    hands.announce(Rung::Reboot);
    hands.reboot();
    hands.pause_ms(REBOOT_MS);
    hands.announce(Rung::Reset);
    hands.sysrq(b'b');
}

/// Until the deadline; for as long again while healthy disks take what is written to them: a
/// database that stops is worth waiting for.
fn wait_orderly(hands: &mut impl Hands, orderly_ms: u64) {
    let started_ms = hands.now_ms();
    let _ = hands.are_others_writing();
    loop {
        let gone_ms = hands.now_ms().saturating_sub(started_ms);
        let left_ms = (2 * orderly_ms).saturating_sub(gone_ms);
        if left_ms == 0 {
            return;
        }
        hands.pause_ms(LOOK_MS.min(left_ms));
        let are_writing = hands.are_others_writing();
        let gone_ms = hands.now_ms().saturating_sub(started_ms);
        if gone_ms >= orderly_ms && !are_writing {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Paper {
        now_ms: u64,
        writes_until_ms: u64,
        has_no_init: bool,
        has_no_sysrq: bool,
        done: Vec<(u64, String)>,
    }

    impl Paper {
        fn note(&mut self, what: impl Into<String>) {
            self.done.push((self.now_ms, what.into()));
        }
    }

    impl Hands for Paper {
        fn now_ms(&mut self) -> u64 {
            self.now_ms
        }
        fn pause_ms(&mut self, time_ms: u64) {
            self.now_ms += time_ms;
        }
        fn announce(&mut self, _: Rung) {}
        fn ask_init(&mut self) -> bool {
            self.note("init");
            !self.has_no_init
        }
        fn are_others_writing(&mut self) -> bool {
            self.now_ms < self.writes_until_ms
        }
        fn sysrq(&mut self, key: u8) -> bool {
            self.note(char::from(key).to_string());
            !self.has_no_sysrq
        }
        fn reboot(&mut self) {
            self.note("reboot");
        }
    }

    fn climbed(mut paper: Paper) -> Vec<(u64, String)> {
        climb(&mut paper, 60_000);
        paper.done
    }

    fn times(done: &[(u64, String)]) -> Vec<(u64, &str)> {
        done.iter().map(|(ms, what)| (ms / 1000, what.as_str())).collect()
    }

    #[test]
    fn each_rung_gets_its_time_and_the_harder_one_follows() {
        let done = climbed(Paper::default());
        let expected = [(0, "init"), (60, "s"), (65, "u"), (70, "reboot"), (100, "b")];
        assert_eq!(times(&done), expected);
    }

    #[test]
    fn healthy_disks_that_are_written_get_more_time_but_not_for_ever() {
        let done = climbed(Paper { writes_until_ms: 80_000, ..Paper::default() });
        assert_eq!(times(&done)[1], (80, "s"));
        let done = climbed(Paper { writes_until_ms: u64::MAX, ..Paper::default() });
        assert_eq!(times(&done)[1], (120, "s"));
    }

    #[test]
    fn a_rung_that_is_missing_costs_no_time() {
        let done = climbed(Paper { has_no_init: true, has_no_sysrq: true, ..Paper::default() });
        let expected = [(0, "init"), (0, "s"), (0, "u"), (0, "reboot"), (30, "b")];
        assert_eq!(times(&done), expected);
    }
}
