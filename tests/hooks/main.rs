//! What is written in shell and runs before root is mounted, in a root directory of its own, under
//! the shells of the initramfs: busybox and dash.
//!
//! The programs that it starts are broken in every way we could think of. What is expected comes
//! from initramfs-tools(7), dracut.modules(7) and systemd.mount(5), and from the one promise: a
//! boot is never stopped.

// `cfg(test)` is true here anyway; written out, it lets helper functions of tests unwrap too.
#[cfg(test)]
mod answers;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod dracut;
#[cfg(test)]
mod images;
#[cfg(test)]
mod initramfs_tools;
#[cfg(test)]
mod mkinitcpio;
#[cfg(test)]
mod queue_limits;
#[cfg(test)]
mod second_chance;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod sysroot;
