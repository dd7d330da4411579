//! Linux.

pub mod error;
