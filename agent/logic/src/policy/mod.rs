//! What the administrator wants: values only, with where each came from.
//!
//! Never reads a file: the program reads TOML, the image holds the frozen form (`frozen`).

pub mod frozen;
pub mod queue;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Text;
use queue::QueueRule;

/// Everything that decides how early boot and the barrier job behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Whether xvdguard does nothing at all (`xvdguard=off`).
    pub inert: bool,
    /// `[barrier] mode`.
    pub barrier: Chosen<BarrierMode>,
    /// `[barrier] lever`.
    pub lever: Chosen<Lever>,
    /// `[barrier] rewrite_fstab`.
    pub rewrite_fstab: Chosen<RewriteFstab>,
    /// `[[queue]]`, in order: for each attribute the last match wins.
    pub queue: Vec<QueueRule>,
    /// A hash of the configuration that this policy was frozen from; none for the defaults.
    pub hash: Option<Text>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            inert: false,
            barrier: Chosen::by_default(BarrierMode::Auto),
            lever: Chosen::by_default(Lever::Auto),
            rewrite_fstab: Chosen::by_default(RewriteFstab::Auto),
            queue: Vec::new(),
            hash: None,
        }
    }
}

impl Policy {
    /// What the `[[queue]]` rules were read from, for people.
    pub fn source(&self) -> String {
        match &self.hash {
            Some(hash) => format!("the configuration (hash {hash})"),
            None => "the configuration".into(),
        }
    }
}

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen<T> {
    /// The value in force.
    pub value: T,
    /// Who said so.
    pub origin: Origin,
}

impl<T> Chosen<T> {
    /// A value that nobody has said otherwise.
    pub fn by_default(value: T) -> Self {
        Chosen { value, origin: Origin::Default }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The program's own default.
    Default,
    /// The configuration, as frozen into the image.
    FrozenPolicy,
    /// This word of the kernel command line.
    KernelWord(Text),
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => write!(to, "the default"),
            Origin::FrozenPolicy => write!(to, "the configuration"),
            Origin::KernelWord(word) => write!(to, "\"{word}\" on the kernel command line"),
        }
    }
}

/// `[barrier] mode`: what may be done about flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BarrierMode {
    /// Prove, and act on proof.
    Auto,
    /// No flush on any vbd, because a person said so.
    Off,
    /// Prove and report, never switch off.
    On,
    /// Look and report only.
    Leave,
}

impl BarrierMode {
    /// The words of files and of the kernel command line.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(BarrierMode::Auto),
            "off" | "0" | "no" => Some(BarrierMode::Off),
            "on" | "1" | "yes" => Some(BarrierMode::On),
            "leave" => Some(BarrierMode::Leave),
            _ => None,
        }
    }

    /// Whether this mode sends a flush to find out.
    pub fn probes(self) -> bool {
        matches!(self, BarrierMode::Auto | BarrierMode::On)
    }
}

/// `[barrier] lever`: how flushes are switched off where they must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lever {
    /// `queue/write_cache` where the kernel has it (4.7+), else the mount option.
    Auto,
    /// `queue/write_cache` only.
    Queue,
    /// `barrier=0` only.
    Mount,
}

impl Lever {
    /// The words of files.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(Lever::Auto),
            "queue" => Some(Lever::Queue),
            "mount" => Some(Lever::Mount),
            _ => None,
        }
    }
}

/// `[barrier] rewrite_fstab`: whether `barrier=0` may be written into fstab. What was written
/// before is taken back all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewriteFstab {
    /// Where the decision table says so.
    Auto,
    /// Never added.
    Never,
}

impl RewriteFstab {
    /// The words of files.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "auto" => Some(RewriteFstab::Auto),
            "never" => Some(RewriteFstab::Never),
            _ => None,
        }
    }
}
