//! A vbd: a virtual disk as xenstore names it, with the frontend's and the backend's keys.

pub mod advertised;
pub mod backend_kind;
pub mod keys;
pub mod name;

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::kernel_version::KernelVersion;
use crate::text::Text;
use advertised::Advertised;
use keys::Keys;

/// A virtual disk as xenstore and `/sys/bus/xen/devices/vbd-*` name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vbd {
    /// The directory's name below `device/vbd`, also called virtual-device: 51712 is xvda.
    pub id: u32,
    /// `device/vbd/ID/backend`: an absolute path, other after a migration. None when unreadable.
    pub backend_path: Option<Text>,
    /// The keys of `device/vbd/ID`.
    pub frontend: Keys,
    /// The keys below `backend_path`.
    pub backend: Keys,
    /// Whether one of those that tell of flushes could not be read: then nothing follows from its
    /// absence.
    pub is_unread: bool,
}

impl Vbd {
    /// The frontend's state in the xenbus protocol.
    pub fn state(&self) -> Option<XenbusState> {
        self.frontend.number("state").and_then(XenbusState::from_number)
    }

    /// Whether frontend and backend are on the way to each other: data may flow soon.
    pub fn is_connecting(&self) -> bool {
        use XenbusState::{InitWait, Initialised, Initialising};
        matches!(self.state(), Some(Initialising | InitWait | Initialised))
    }

    /// What the backend advertises; none where that could not be read.
    pub fn advertised(&self, kernel: Option<KernelVersion>) -> Option<Advertised> {
        let is_read = self.backend_path.is_some() && !self.is_unread;
        is_read.then(|| Advertised::from_keys(&self.backend, kernel))
    }

    /// Why this vbd takes no flush at all, where that is so.
    pub fn unflushable(&self) -> Option<Unflushable> {
        let info = self.backend.number("info").unwrap_or(0);
        let kind = self.backend.text("device-type").or(self.frontend.text("device-type"));
        if kind.is_some_and(|kind| kind == "cdrom") || info & INFO_CDROM != 0 {
            return Some(Unflushable::Cdrom);
        }
        let mode = self.backend.text("mode");
        if info & INFO_READONLY != 0 || mode.is_some_and(|mode| mode.starts_with("r")) {
            return Some(Unflushable::ReadOnly);
        }
        (self.backend.number("sectors") == Some(0)).then_some(Unflushable::Empty)
    }
}

/// VDISK_CDROM and VDISK_READONLY in Xen's public header blkif.h.
const INFO_CDROM: u64 = 1;
const INFO_READONLY: u64 = 4;

/// Why a vbd takes no flush at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unflushable {
    /// The backend answers every flush of a read-only vbd with an error.
    ReadOnly,
    /// A CD-ROM.
    Cdrom,
    /// No medium, no block device, or no sectors.
    Empty,
}

impl fmt::Display for Unflushable {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            Unflushable::ReadOnly => "read-only",
            Unflushable::Cdrom => "cdrom",
            Unflushable::Empty => "empty",
        })
    }
}

/// States of the xenbus protocol (Xen's public header xenbus.h).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum XenbusState {
    /// 0
    Unknown,
    /// 1
    Initialising,
    /// 2
    InitWait,
    /// 3
    Initialised,
    /// 4: data can flow.
    Connected,
    /// 5
    Closing,
    /// 6
    Closed,
    /// 7
    Reconfiguring,
    /// 8
    Reconfigured,
}

impl XenbusState {
    fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => XenbusState::Unknown,
            1 => XenbusState::Initialising,
            2 => XenbusState::InitWait,
            3 => XenbusState::Initialised,
            4 => XenbusState::Connected,
            5 => XenbusState::Closing,
            6 => XenbusState::Closed,
            7 => XenbusState::Reconfiguring,
            8 => XenbusState::Reconfigured,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vbd(backend: &[(&str, &str)]) -> Vbd {
        Vbd { backend: Keys::from(backend), ..Vbd::default() }
    }

    #[test]
    fn what_takes_no_flush_is_recognised_by_the_backends_keys() {
        for (backend, expected) in [
            (&[("mode", "r")][..], Some(Unflushable::ReadOnly)),
            (&[("mode", "w"), ("info", "4")], Some(Unflushable::ReadOnly)),
            (&[("info", "5")], Some(Unflushable::Cdrom)),
            (&[("mode", "r"), ("device-type", "cdrom")], Some(Unflushable::Cdrom)),
            (&[("mode", "w"), ("sectors", "0")], Some(Unflushable::Empty)),
            (&[("mode", "w"), ("info", "0"), ("sectors", "2048")], None),
            // `w!` is a multi-attach disk: writable.
            (&[("mode", "w!")], None),
        ] {
            assert_eq!(vbd(backend).unflushable(), expected, "{backend:?}");
        }
    }
}
