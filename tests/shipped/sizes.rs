//! What an image and a package have to carry, in bytes.

use std::fs;

use crate::shipped;

/// Small beside the kernel of any image, so that nobody leaves it out.
const EARLY: u64 = 1_500_000;
/// The daemon will keep it in locked memory: with the C library it must stay below 4.5 MB.
const AGENT: u64 = 2_700_000;

#[track_caller]
fn check(name: &str, at_most: u64) {
    let Some(program) = shipped(name) else { return };
    let size = fs::metadata(&program).unwrap().len();
    assert!(size <= at_most, "{name} has {size} bytes, at most {at_most}");
}

#[test]
fn the_early_program_fits_every_image() {
    check("xvdguard-early", EARLY);
}

#[test]
fn the_agent_is_a_small_program() {
    check("xvdguard", AGENT);
}
