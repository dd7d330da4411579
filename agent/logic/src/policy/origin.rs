//! Where a value came from, for whoever asks why something was done.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::text::Text;

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The program's own default.
    Default,
    /// A file of the configuration, and the line in it.
    File {
        /// As a person would type it.
        name: Text,
        /// From 1.
        line: usize,
    },
    /// The configuration, as frozen into the image.
    FrozenPolicy,
    /// This word of the kernel command line.
    KernelWord(Text),
}

impl fmt::Display for Origin {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => write!(to, "the default"),
            Origin::File { name, line } => write!(to, "{name}:{line}"),
            Origin::FrozenPolicy => write!(to, "the configuration"),
            Origin::KernelWord(word) => write!(to, "\"{word}\" on the kernel command line"),
        }
    }
}
