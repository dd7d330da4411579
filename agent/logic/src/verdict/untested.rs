//! Why a disk is still untested: each cause has a remedy of its own, and most are not "probe".
//!
//! The sentences are in `wording::untested`.

use serde::{Deserialize, Serialize};

use super::judge::NotSent;

/// What stands between a disk and its verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untested {
    /// Nobody sent a flush in this boot.
    NotProbed,
    /// A line that would speak against it may be missing from the log.
    LogGap,
    /// The flush was not answered in time.
    Silent,
    /// The flush ended with an error that the driver never makes.
    StrangeError,
    /// The node carries a mounted file system and this kernel has no ranged flush.
    Mounted,
    /// Something holds the node that neither mountinfo nor sysfs names.
    Claimed,
    /// The kernel's line is rate limited: this disk's turn did not come before the deadline.
    RateLimited,
    /// The mode says to look only.
    ByPolicy,
    /// The node could not be opened or is not the disk it should be.
    NodeUnusable,
}

impl From<NotSent> for Untested {
    fn from(why: NotSent) -> Self {
        match why {
            NotSent::Mounted => Untested::Mounted,
            NotSent::Claimed => Untested::Claimed,
            NotSent::RateLimited => Untested::RateLimited,
            NotSent::ByPolicy => Untested::ByPolicy,
            NotSent::NodeUnusable => Untested::NodeUnusable,
        }
    }
}
