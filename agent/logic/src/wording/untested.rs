//! What is said about a disk that is untested: why, and what would settle it.

use alloc::format;
use alloc::string::String;

use crate::text::Text;
use crate::verdict::untested::Untested;

/// Why, where no number belongs into the sentence.
pub fn reason(why: Untested) -> &'static str {
    match why {
        Untested::NotProbed => "not probed in this boot",
        Untested::LogGap => {
            "the kernel log has a gap or does not reach back to the connect: a failure before it \
             would not be seen"
        }
        Untested::Silent => "no answer to a flush in time: the backend is silent",
        Untested::StrangeError => "the flush returned an error that blkfront never returns itself",
        Untested::Mounted => {
            "the node carries a mounted file system and this kernel has no ranged flush \
             (io_uring, 5.1+, may be disabled by kernel.io_uring_disabled)"
        }
        Untested::Claimed => "something holds the node that neither mountinfo nor sysfs names",
        Untested::RateLimited => "its turn did not come in time: the kernel's line is rate limited",
        Untested::ByPolicy => "the mode says to look only",
        Untested::NodeUnusable => "its node in /dev is missing or is another device",
    }
}

/// What to do about it.
pub fn remedy(name: &Text, why: Option<Untested>) -> String {
    let known = "not known whether flushes work.";
    match why {
        None | Some(Untested::NotProbed) => format!("{known} Do: xvdguard probe"),
        Some(Untested::LogGap) => format!(
            "{known} A probe cannot prove it now. Do: keep the log whole with log_buf_len=1M on \
             the kernel command line, and reboot"
        ),
        Some(Untested::Silent) => format!(
            "nothing is lost while the backend is silent. Do: look at the host's storage, and \
             when it answers again: xvdguard probe {name}"
        ),
        Some(Untested::StrangeError) => {
            format!("{known} Do: look at the kernel log, and keep: xvdguard record -o FILE")
        }
        Some(Untested::Mounted) => format!(
            "{known} Do: let early boot probe it before it is mounted, or sysctl \
             kernel.io_uring_disabled=0 and xvdguard probe {name}"
        ),
        Some(Untested::Claimed) => format!(
            "{known} Do: find who holds it (lsblk, losetup -l, dmsetup ls --tree), then xvdguard \
             probe {name}"
        ),
        Some(Untested::RateLimited) => format!("{known} Do: xvdguard probe {name}"),
        Some(Untested::ByPolicy) => {
            format!("{known} Do: xvdguard probe {name}, or set mode = \"auto\" in [barrier]")
        }
        Some(Untested::NodeUnusable) => {
            format!("{known} Do: udevadm trigger /dev/{name}, then xvdguard probe {name}")
        }
    }
}
