//! `xvdguard plan`, `apply` and `revert` in a guest that is the whole machine to them: a chroot
//! with real loop devices, real ext3 and ext4, a real xenstored, the kernel's own mountinfo.
//!
//! What is expected comes from the design and from what the kernel shows afterwards.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod edits;
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod mounts;
#[cfg(test)]
mod queues;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod undo;
