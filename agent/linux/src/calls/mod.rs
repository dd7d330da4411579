//! System calls that rustix lacks, each behind a safe face; the one user of nix.

pub mod fork;
pub mod fs_errors;
pub mod kept_error;
pub mod memory;
pub mod signals;
