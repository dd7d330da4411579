//! The test harness: real storage that fails on command, a real xenstored without Xen, and a
//! directory that plays a guest.
//!
//! Nothing here is simulated where the kernel can do it: faults are a FUSE file below a loop
//! device below a real file system. Everything that is made is owned by a value and goes away
//! with it, also after a panic; what a dying process leaves is cleared by the kernel or by the
//! directory's keeper (`scratch`). Never touches a disk, a mount or a process it did not make,
//! and never uses the agent's own code for what the agent is tested with.
//! Tests: `tests/harness_self/`.

pub mod blkback;
pub mod checkout;
pub mod deadline;
pub mod failure;
pub mod fault;
pub mod faulty_disk;
pub mod faulty_storage;
pub mod guest;
pub mod guest_root;
pub mod guest_xenstore;
pub mod helper;
pub mod live_log;
pub mod loop_device;
pub mod messages;
pub mod mount;
pub mod namespace;
pub mod pretended_guest;
pub mod program;
pub mod programs;
pub mod random;
pub mod recordings;
pub mod requires;
pub mod scratch;
pub mod xenstored;
