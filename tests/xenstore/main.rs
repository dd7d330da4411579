//! The xenstore client against Xen's own xenstored 4.17, on its socket.
//!
//! What is expected comes from the programs of xenstore-utils, never from the client. Every client
//! is domain 0 there: quotas and permissions of a guest do not bite, and the kernel's device is not
//! in between.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod faults;
#[cfg(test)]
mod listings;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod transactions;
#[cfg(test)]
mod watches;
