//! Effects: what is to be done, as values, and what came of it.
//!
//! Nothing here does anything; `xvdguard-linux` performs them and looks again right before.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::queue::QueueAttribute;
use crate::text::Text;

/// One attribute below `queue/` to be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueSetting {
    /// The disk.
    pub disk: Text,
    /// Which attribute.
    pub attribute: Attribute,
    /// The value that was seen.
    pub old: Text,
    /// The value to write.
    pub new: Text,
    /// Why, in one sentence.
    pub reason: String,
}

impl QueueSetting {
    /// Whether flushes are sent again after it.
    pub fn switches_flushes_on(&self) -> bool {
        self.attribute == Attribute::WriteCache && self.new == "write back"
    }
}

/// What came of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The attribute now reads as wanted.
    Done,
    /// It read so already: nothing was written.
    AlreadySo,
    /// It reads otherwise: the kernel rounded it.
    Rounded(Text),
}

/// What may be written below `queue/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Attribute {
    /// `write_cache`: belongs to the barrier job alone.
    WriteCache,
    /// Any other, by `[[queue]]`.
    Limit(QueueAttribute),
}

impl fmt::Display for Attribute {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attribute::WriteCache => to.write_str("write_cache"),
            Attribute::Limit(limit) => write!(to, "{limit}"),
        }
    }
}

/// How flushes are switched off on one disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Not at all.
    None,
    /// By `queue/write_cache`.
    Queue,
    /// By `barrier=0` on ext3 and ext4.
    Mount,
}
