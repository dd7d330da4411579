//! The packages and what comes with them: installed into real systems of Debian in chroots,
//! upgraded, removed and purged; the manual against what the programs know; completions by shells.
//!
//! `make test` plays one round, Debian 12 with initramfs-tools, with the programs of this machine.
//! `make packages-test` plays all of them with the programs of the packages. Systems are made by
//! debootstrap and kept below the target folder. Never installs anything on this machine.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod chroot;
#[cfg(test)]
mod completions;
#[cfg(test)]
mod judged;
#[cfg(test)]
mod lines;
#[cfg(test)]
mod made;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod rpm;
