//! `xvdguard explain` on logs of real failures, in every form that a log may have, and on what
//! tries to fool it.
//!
//! `stories/` holds kernel lines of incidents (printed by real kernels, most of them by guests
//! whose storage was made to fail) with the text that is expected, read and approved by a person;
//! `forms/` the same few lines as dmesg 2.38.1 and journalctl 252 print them. Never writes there.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod exit_codes;
#[cfg(test)]
mod fooled;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod names;
#[cfg(test)]
mod picture;
#[cfg(test)]
mod recordings;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod stories;
#[cfg(test)]
mod streams;
