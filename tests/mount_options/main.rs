//! fstab against those that read it: the kernel, mount(8)'s libraries, Augeas.
//!
//! The grammar of barrier options is held against real mounts and remounts of the running kernel,
//! the model of fstab against findmnt, edited files against `findmnt --verify` and Augeas' lens,
//! the names of devices against libblkid.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod edited;
#[cfg(test)]
mod findmnt;
#[cfg(test)]
mod kernel;
#[cfg(test)]
mod sources;
#[cfg(test)]
mod spellings;
