//! `xvdguard daemon` on real file systems that really die: loop devices over FUSE, in a process
//! tree that takes this machine for a Xen guest (`harness::pretended_guest`).
//!
//! Every test waits for what must happen and looks at what a person would look at: the mounts,
//! new files, what the daemon said. The kernel log is the real one.

#[cfg(test)]
mod back;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod deceit;
#[cfg(test)]
mod fstab;
#[cfg(test)]
mod handed_over;
#[cfg(test)]
mod hanging;
#[cfg(test)]
mod hold;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod killed_waiting;
#[cfg(test)]
mod manager;
#[cfg(test)]
mod pending;
#[cfg(test)]
mod rehearse;
#[cfg(test)]
mod reload;
#[cfg(test)]
mod stage;
#[cfg(test)]
mod start;
#[cfg(test)]
mod syslog;
#[cfg(test)]
mod sysvinit;
#[cfg(test)]
mod upgraded;
#[cfg(test)]
mod users;
