//! Block devices that come, go or change: the kernel's uevents, and udev's after them.
//!
//! By netlink itself (netlink(7), NETLINK_KOBJECT_UEVENT): libudev differs between distributions
//! and is on no small guest. Only a reason to look: nothing is read out of a message, which any
//! process with the right to send could have made up.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::{KOBJECT_UEVENT, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use crate::error::{Error, Result};

/// The kernel's group, and the one that udev sends to again.
const GROUPS: u32 = 1 | 2;
/// UEVENT_BUFFER_SIZE of the kernel, with room for what udev adds.
const BUFFER_BYTES: usize = 8192;
/// How every message about a block device names it.
const BLOCK: &[u8] = b"SUBSYSTEM=block\0";

/// An open socket.
#[derive(Debug)]
pub struct BlockEvents(OwnedFd);

impl BlockEvents {
    /// Listens; fails where there is no netlink.
    pub fn open() -> Result<BlockEvents> {
        let failed = |errno| Error::system("listen to", "uevents of block devices", errno);
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (family, kind) = (AddressFamily::NETLINK, SocketType::DGRAM);
        let socket = socket_with(family, kind, flags, Some(KOBJECT_UEVENT)).map_err(failed)?;
        bind(&socket, &SocketAddrNetlink::new(0, GROUPS)).map_err(failed)?;
        Ok(BlockEvents(socket))
    }

    /// Whether something came since this was asked last. Messages that were lost are a reason, too.
    pub fn take(&self) -> bool {
        let mut is_new = false;
        let mut buffer = [0; BUFFER_BYTES];
        loop {
            match recv(&self.0, &mut buffer, RecvFlags::DONTWAIT) {
                Ok((_, count)) => {
                    let message = &buffer[..count.min(BUFFER_BYTES)];
                    is_new |= message.windows(BLOCK.len()).any(|part| part == BLOCK);
                }
                Err(Errno::INTR) => {}
                Err(Errno::NOBUFS) => is_new = true,
                Err(_) => return is_new,
            }
        }
    }
}

impl AsFd for BlockEvents {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
