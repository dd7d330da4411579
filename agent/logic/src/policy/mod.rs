//! What the administrator wants: values only, with where each came from.
//!
//! Never reads a file: the program reads TOML, the image holds the frozen form (`frozen`). Early
//! boot knows `Policy` and nothing else; everything of the files is `settings::Settings`.

pub mod duration;
pub mod frozen;
pub mod names;
pub mod origin;
pub mod queue;
pub mod setting;
pub mod settings;
pub mod tables;
pub mod word;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::text::Text;
pub use origin::{Chosen, Origin};
use queue::QueueRule;
pub use word::{BarrierMode, Lever, RewriteFstab};

/// Everything that decides how early boot and the barrier job behave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The word that makes xvdguard do nothing at all (`xvdguard=off`), where there is one.
    pub inert: Option<Text>,
    /// `[barrier] mode`.
    pub barrier: Chosen<BarrierMode>,
    /// `[barrier] lever`.
    pub lever: Chosen<Lever>,
    /// `[barrier] rewrite_fstab`. Early boot writes no file and does not carry it.
    pub rewrite_fstab: Chosen<RewriteFstab>,
    /// `[[queue]]`, in order: for each attribute the last match wins.
    pub queue: Vec<QueueRule>,
    /// A hash of the configuration that this policy was frozen from; none for the defaults.
    pub hash: Option<Text>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            inert: None,
            barrier: Chosen::by_default(BarrierMode::Auto),
            lever: Chosen::by_default(Lever::Auto),
            rewrite_fstab: Chosen::by_default(RewriteFstab::Auto),
            queue: Vec::new(),
            hash: None,
        }
    }
}
