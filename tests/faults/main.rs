//! `xvdguard apply` and `revert` killed at every system call, and answered ENOSPC, EIO, EROFS and
//! EACCES by every one that speaks of files (strace(1)); links, mounts, editors and a second
//! xvdguard in the way.
//!
//! The guest is a directory, so that a state can be had again in no time. What must hold: fstab has
//! its old or its new bytes and looks as before, the way back is never lost, the next run works.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod errors;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod others;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod traced;
