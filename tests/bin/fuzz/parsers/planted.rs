//! Parsers that fail now and then, so that a test can see how the fuzzer says it.

use super::{Parser, must};
use crate::mutate::mutated;

/// One that panics, one that breaks its rule.
pub fn parsers() -> [Parser; 2] {
    let make = |random: &mut harness::random::Random| Ok(mutated(&[b"abc"], &[b"x"], random));
    let panics = |bytes: &[u8]| {
        assert!(!bytes.contains(&b'x'), "planted in the parser");
        Ok(true)
    };
    let breaks = |bytes: &[u8]| must(!bytes.contains(&b'x'), "a planted rule").map(|()| true);
    [Parser::new("planted-panic", make, panics), Parser::new("planted-rule", make, breaks)]
}
