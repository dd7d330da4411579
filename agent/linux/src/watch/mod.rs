//! Watching: what only somebody who stays can see, read without touching a sick disk.
//!
//! Everything here answers while a disk hangs: procfs, sysfs outside `queue/`, `/run`. What would
//! have to follow a link to a file of a volume is done in a child.
//! Tests: `tests/recovery/`, and beside each.

pub mod block_events;
pub mod disks;
pub mod domain;
pub mod errors;
pub mod mounts;
pub mod requests;
pub mod volumes;
