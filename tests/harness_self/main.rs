//! Proves the harness: each part against the real kernel, as root, several at once.
//!
//! Never tests the agent, never leaves anything on the machine.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod cleanup;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod guests;
#[cfg(test)]
mod requirements;
#[cfg(test)]
mod stores;
