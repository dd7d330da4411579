//! Proves the harness: each part against the real kernel, as root, several at once.
//!
//! Never tests the agent, never leaves anything on the machine.

mod cleanup;
mod disks;
mod guests;
mod stores;
