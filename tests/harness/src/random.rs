//! Random numbers that can be had again: splitmix64 from a seed.
//!
//! The seed is `XVDGUARD_SEED`, or drawn; a test that fails prints the line that repeats it. Never
//! for secrets.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};

/// A generator. Keep it alive until the test ends, or the seed of a failure is not printed.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    /// The generator with this seed.
    pub fn from_seed(seed: u64) -> Random {
        Random { seed, state: seed }
    }

    /// The generator with the seed of the environment, or with a new one.
    pub fn from_environment() -> Random {
        let named = std::env::var("XVDGUARD_SEED").ok().and_then(|seed| seed.parse().ok());
        Random::from_seed(named.unwrap_or_else(|| RandomState::new().build_hasher().finish()))
    }

    /// The seed it began with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Any number.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// A number below `bound`; 0 where that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The bias of the remainder is far below what a test could see.
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; `None` of none.
    pub fn choose<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len() as u64) as usize)
    }
}

impl Drop for Random {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = writeln!(io::stderr(), "to repeat it: XVDGUARD_SEED={}", self.seed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_again() {
        let mut random = Random::from_seed(0);
        // The first numbers of splitmix64 from 0, as its author publishes them.
        assert_eq!(random.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(random.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        assert_eq!((random.below(0), random.choose::<u8>(&[])), (0, None));
        assert!(random.below(3) < 3 && !random.percent(0) && random.percent(100));
    }
}
