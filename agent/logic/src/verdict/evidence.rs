//! Evidence: one fact with its source and time.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

/// One fact, as JSON document E.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Where it was seen.
    pub source: Source,
    /// The fact in one sentence, safe for a terminal.
    pub text: String,
    /// RFC 3339 in UTC; none where the clock that says it was not at hand.
    pub time: Option<String>,
    /// Milliseconds since boot.
    pub boot_ms: Option<u64>,
}

impl Evidence {
    /// A fact seen at a moment of this boot.
    pub fn new(source: Source, text: impl Into<String>, boot_ms: u64) -> Self {
        Evidence { source, text: text.into(), time: None, boot_ms: Some(boot_ms) }
    }
}

/// Where a fact was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A key of the backend or frontend.
    Xenstore,
    /// An attribute of the disk.
    Sysfs,
    /// A line of the kernel log.
    KernelLog,
    /// Options of a mount or of its super block.
    Mountinfo,
    /// A FAN_FS_ERROR event.
    Fanotify,
    /// A flush that was sent.
    Probe,
    /// A word of a person: configuration or kernel command line.
    Policy,
    /// Something that xvdguard did.
    Action,
}

impl fmt::Display for Source {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.pad(match self {
            Source::Xenstore => "xenstore",
            Source::Sysfs => "sysfs",
            Source::KernelLog => "kernel-log",
            Source::Mountinfo => "mountinfo",
            Source::Fanotify => "fanotify",
            Source::Probe => "probe",
            Source::Policy => "policy",
            Source::Action => "action",
        })
    }
}
