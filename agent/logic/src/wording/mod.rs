//! Every sentence that an operator reads: what is so, why we think so, what to do.
//!
//! One place, so that the same thing is said with the same words everywhere.

pub mod apply;
pub mod audit;
pub mod boot;
pub mod check;
pub mod config;
pub mod daemon;
pub mod explain;
pub mod fstab;
pub mod hands;
pub mod missing;
pub mod picture;
pub mod plan;
pub mod recovery;
pub mod rehearse;
pub mod replay;
pub mod requests;
pub mod rewrite;
pub mod status;
pub mod untested;
