//! The flush verdict of a disk: what the evidence adds up to, and which evidence that is.
//!
//! `judge` reads evidence, `permission` says how a disk may be probed, `report` is what is kept
//! and shown. A verdict never rests on a probe's return code where blkfront swallows it.

pub mod evidence;
pub mod judge;
pub mod permission;
pub mod report;
pub mod untested;

use core::fmt;

use serde::{Deserialize, Serialize};

/// What a disk's backend does with flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FlushVerdict {
    /// Not advertised, or a vbd that takes none (read-only, CD-ROM, empty): healthy.
    Absent,
    /// Advertised as 0.
    Off,
    /// Advertised; nobody has proved it for this connection.
    Untested,
    /// A flush was sent and nothing speaks against it.
    Proven,
    /// The backend answered EOPNOTSUPP.
    Refused,
    /// The backend answered with an error.
    Failing,
    /// Advertised, no longer sent, and not by us.
    Lost,
    /// Not sent because we or the administrator switched it off.
    SwitchedOff,
}

impl FlushVerdict {
    /// Whether `xvdguard probe` counts it as a good end.
    pub fn is_settled(self) -> bool {
        matches!(
            self,
            FlushVerdict::Proven
                | FlushVerdict::Absent
                | FlushVerdict::Off
                | FlushVerdict::SwitchedOff
        )
    }

    /// The word of the design, also in JSON.
    pub fn word(self) -> &'static str {
        match self {
            FlushVerdict::Absent => "absent",
            FlushVerdict::Off => "off",
            FlushVerdict::Untested => "untested",
            FlushVerdict::Proven => "proven",
            FlushVerdict::Refused => "refused",
            FlushVerdict::Failing => "failing",
            FlushVerdict::Lost => "lost",
            FlushVerdict::SwitchedOff => "switched-off",
        }
    }
}

impl fmt::Display for FlushVerdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(self.word())
    }
}
