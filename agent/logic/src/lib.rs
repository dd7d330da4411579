//! The pure core of xvdguard: what is so, and what should be done about it.
//!
//! Bytes that others read come in as values, decisions go out as values. Nothing here does I/O,
//! reads a clock or draws a random number; `no_std` keeps it so.
#![no_std]

extern crate alloc;

pub mod audit;
pub mod block;
pub mod bundle;
pub mod command_line;
pub mod decide;
pub mod decide_boot;
pub mod disk;
pub mod effect;
pub mod explain;
pub mod finding;
pub mod fstab;
pub mod grammar;
pub mod kernel_log;
pub mod kernel_version;
pub mod mountinfo;
pub mod observation;
pub mod order;
pub mod plan;
pub mod policy;
pub mod recovery;
pub mod super_block;
pub mod text;
pub mod vbd;
pub mod verdict;
pub mod volume;
pub mod wording;
pub mod xen;
