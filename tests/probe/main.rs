//! `xvdguard probe`, `status` and `record` against real faults: loop devices on storage that fails
//! on command, a real xenstored, and directories that play guests.
//!
//! What is expected comes from the design and from measurements, never from the code under test.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod appeared;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod hanging;
#[cfg(test)]
mod log;
#[cfg(test)]
mod mounted;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod partition;
#[cfg(test)]
mod partitioned;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod verdicts;
#[cfg(test)]
mod volumes;
