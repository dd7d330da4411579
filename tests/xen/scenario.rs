//! What a scenario is: what the host does to the disks of a guest, and what the guest must be seen
//! to do, without xvdguard and with it.
//!
//! A scenario is played on the disks that it names by their roles: *root*, mounted read-only and
//! then read-write as a root is, *data*, mounted read-write at once, *read*, mounted read-only and
//! left so. Each that can be written gets 200 small synced writes.

use std::fmt;

use crate::build::GuestKernel;

/// Writes that each disk gets, each a new file of its own, synced.
pub const WRITES: u64 = 200;

/// One scenario; each has a file of its own in `scenarios/`.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// As it is called on the command line.
    pub name: &'static str,
    /// The kernels that it is played on.
    pub is_for: fn(&GuestKernel) -> bool,
    /// What the host does to each of the disks.
    pub host: Host,
    /// The disks.
    pub roles: &'static [&'static str],
    /// What must be seen where nothing protects the guest.
    pub without: Expected,
    /// What must be seen where `xvdguard-early` ran before root was mounted.
    pub with: Expected,
    /// The verdict that `xvdguard-early` must reach, or one of several: `failing or untested`;
    /// `none` where it must not look.
    pub verdict: &'static str,
    /// A part of the evidence that it must give; empty where there is none to give.
    pub evidence: &'static str,
    /// How many flushes it may send to each disk.
    pub probes: &'static [u64],
    /// A part of what it must say in the kernel log; empty where nothing must be said.
    pub says: &'static str,
    /// The options that it must leave for root.
    pub root_options: &'static str,
    /// Words on the kernel command line of the guest with xvdguard.
    pub words: &'static str,
    /// A line of the policy in that guest's image.
    pub policy: &'static str,
}

/// What most scenarios have in common: two disks that work, one flush each, nothing configured.
pub const ORDINARY: Scenario = Scenario {
    name: "",
    is_for: GuestKernel::any,
    host: HEALTHY,
    roles: &["root", "data"],
    without: Expected::always(Fate::Flushed),
    with: Expected::always(Fate::Flushed),
    verdict: "proven",
    evidence: "",
    probes: &[1],
    says: "",
    root_options: "",
    words: "",
    policy: "",
};

/// What the host does to a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Host {
    /// What lies between blkback and the storage.
    pub storage: Storage,
    /// What its backend says that it can.
    pub advertises: Advertised,
    /// What becomes of a flush or a barrier.
    pub flushes: Flushes,
    /// Whether the vbd may be written.
    pub is_writable: bool,
}

/// A host that does nothing to a disk.
pub const HEALTHY: Host = Host {
    storage: Storage::Plain,
    advertises: Advertised::FlushAndBarrier,
    flushes: Flushes::Work,
    is_writable: true,
};

/// What lies between blkback and the storage that refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Nothing: a barrier that carries data fails as a whole.
    Plain,
    /// The device-mapper, as with LVM: it takes such a barrier apart and hides that its flush
    /// failed, so that only a barrier without data is seen to fail.
    DeviceMapper,
    /// This device of dom0's, which keeps what is on it; such disks come first.
    Over(&'static str),
    /// The same behind the device-mapper.
    OverMapped(&'static str),
    /// What a story has made itself: this node.
    Made(&'static str),
    /// The sick disk of this place, with nothing on it, which a story has made itself.
    Blank,
}

/// The keys `feature-flush-cache` and `feature-barrier`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advertised {
    /// Both are 1, as blkback says of a disk with a write cache.
    FlushAndBarrier,
    /// Only flush, as QEMU's qdisk says.
    OnlyFlush,
    /// Only barrier, as old blkback and tapdisk say.
    OnlyBarrier,
    /// Both are 0, as blkback says of a disk without a write cache.
    Zero,
    /// Neither key is there.
    Nothing,
}

/// How the storage answers a flush.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flushes {
    /// It does it.
    Work,
    /// EOPNOTSUPP.
    Refused,
    /// EIO.
    Fail,
}

/// What must be seen of a disk: up to Linux 6.10, and from 6.11.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Where a failed flush makes blkfront switch flushes off.
    pub up_to_6_10: Fate,
    /// Where it does not.
    pub from_6_11: Fate,
}

/// What became of a disk and of its flushes.
#[derive(Debug, Clone, PartialEq, Eq, Copy)]
pub enum Fate {
    /// All writes are there, and the host's device has seen each flush that the guest sent.
    Flushed,
    /// All writes are there; flushes were sent until the first one was not done, and none after.
    FlushedOnce,
    /// All writes are there; no flush was ever sent.
    Unflushed,
    /// The journal was aborted: nothing can be written any more.
    Aborted,
    /// It cannot be mounted.
    Unmountable,
    /// It was read, and nothing else was asked of it.
    Read,
}

impl Expected {
    /// The same on every kernel.
    pub const fn always(fate: Fate) -> Expected {
        Expected { up_to_6_10: fate, from_6_11: fate }
    }

    /// What must be seen on a kernel.
    pub fn on(&self, kernel: &GuestKernel) -> Fate {
        if kernel.switches_off() { self.up_to_6_10 } else { self.from_6_11 }
    }
}

impl Flushes {
    /// The word that the sick disk takes (`dom0/sick_disk.c`).
    pub fn word(self) -> &'static str {
        match self {
            Flushes::Work => "ok",
            Flushes::Refused => "refused",
            Flushes::Fail => "error",
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Fate::Flushed => "healthy, flushed",
            Fate::FlushedOnce => "healthy, flushes end at the first",
            Fate::Unflushed => "healthy, never flushed",
            Fate::Aborted => "journal aborted",
            Fate::Unmountable => "cannot be mounted",
            Fate::Read => "read",
        })
    }
}
