//! Bringing a file system back: what the daemon sees, remembers and orders.
//!
//! Values only. `world` is what is seen in one turn, `memory` what is kept between turns, `effects`
//! what is to be done and what came of it, `signs` what the kernel's lines add up to.

pub mod effects;
pub mod memory;
pub mod signs;
pub mod world;
