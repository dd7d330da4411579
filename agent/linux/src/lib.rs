//! Reading Linux and acting on it, for the decisions of `xvdguard-logic`.
//!
//! Whatever may touch a sick disk happens in a child with a deadline (`child`); everything else
//! reads procfs, sysfs, `/dev/kmsg` and xenstore, which answer without the disk.

pub mod apply;
pub mod calls;
pub mod child;
pub mod clock;
pub mod configuration;
pub mod edits;
pub mod error;
pub mod installed_kernels;
pub mod job;
pub mod keeper;
pub mod kmsg;
pub mod log_source;
pub mod observe;
mod parcel;
pub mod perform;
pub mod probe;
pub mod process;
pub mod recording;
pub mod recover;
pub mod remount;
pub mod reports;
mod resolve;
pub mod rewrite;
pub mod root;
pub mod root_device;
pub mod source;
pub mod systemd;
pub mod terminals;
pub mod wait;
pub mod watch;
pub mod whole_file;
pub mod world;
pub mod xenstore;
