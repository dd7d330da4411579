//! The programs as they are shipped: how large, what they need, and how they answer anybody.
//!
//! Sizes and linking are those of `make build` only, whose programs `XVDGUARD_BIN_DIR` names;
//! without it these tests are skipped. How long things take is never asked here: that is
//! `make bench`.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod linking;
#[cfg(test)]
mod sizes;

use std::env;
use std::path::{Path, PathBuf};

use harness::requires;

/// A program of `make build`; `None` where the test has to be skipped.
#[track_caller]
fn shipped(name: &str) -> Option<PathBuf> {
    match env::var_os("XVDGUARD_BIN_DIR") {
        Some(folder) => requires::program(&Path::new(&folder).join(name).display().to_string()),
        None => requires::program(&format!("{name} of make build (XVDGUARD_BIN_DIR)")),
    }
}
