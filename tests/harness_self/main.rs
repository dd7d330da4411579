//! Proves the harness: each part against the real kernel, as root, several at once.
//!
//! Never tests the agent; never runs without leaving the machine as it was.

mod disks;
mod stores;
