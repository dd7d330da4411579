//! The configuration as an administrator meets it: what is said about wrong files, who overrules
//! whom, what the image carries, and the file that is installed.
//!
//! Everything is asked of the built programs. What is expected comes from the design and is written
//! by hand; no expected message was taken over unread.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod files;
#[cfg(test)]
mod image;
#[cfg(test)]
mod installed;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod precedence;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod wrong;
