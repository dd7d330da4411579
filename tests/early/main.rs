//! `xvdguard-early` against real faults: loop devices on storage that fails on command, a real
//! xenstored, and directories that play guests before their root is mounted.
//!
//! What is expected comes from the design and from measurements, never from the code under test.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod broken;
#[cfg(test)]
mod errors;
#[cfg(test)]
mod late;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod many;
#[cfg(test)]
mod options;
#[cfg(test)]
mod pipes;
#[cfg(test)]
mod queue;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod silent;
#[cfg(test)]
mod words;
