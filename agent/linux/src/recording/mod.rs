//! Recordings of the daemon's turns: what `decide` saw and said, so that it can be asked again.
//!
//! A text of lines `NAME JSON`. A line `decided` ends a turn, and what stands in no line of a turn
//! is as it was in the turn before:
//!
//! ```text
//! xvdguard-recording=1 VERSION
//! settings {…}
//! memory.volumes 2
//! memory.volumes.0 {…}
//! decided {"orders":[…],"moves":[…],"wake_ms":123456}
//! ```
//!
//! The daemon keeps one in bounds (`ring`), the simulation writes the whole of a seed, `replay`
//! reads either. Nothing here decides anything.

mod parts;
pub mod reader;
pub mod ring;

use serde::{Deserialize, Serialize};
use xvdguard_logic::bundle::Moved;
use xvdguard_logic::decide::Decision;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::Effect;
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;

/// What every recording begins with.
pub const HEADER: &str = "xvdguard-recording=1";
/// The name of the line that ends a turn.
const DECIDED: &str = "decided";

/// What `decide` is asked with.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the administrator wants.
    pub settings: &'a Settings,
    /// What was kept before the turn.
    pub memory: &'a Memory,
    /// What was seen.
    pub world: &'a World,
}

/// One turn, as it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// What the administrator wanted.
    pub settings: Settings,
    /// What was kept before it.
    pub memory: Memory,
    /// What was seen.
    pub world: World,
    /// What was decided.
    pub decided: Decided,
}

/// What came of a turn, for people and to be compared; what is kept is in the next turn.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// What was ordered, in order.
    pub orders: Vec<Effect>,
    /// Which volumes went from one state to another.
    pub moves: Vec<Step>,
    /// When to look again.
    pub wake_ms: u64,
}

/// A volume went from one state to another.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Which.
    pub mount_point: Text,
    /// From where to where.
    #[serde(flatten)]
    pub moved: Moved,
}

impl Decided {
    /// Of a decision, and of what was kept before it; both know names of volumes.
    pub fn of(decision: &Decision, before: &Memory, after: &Memory) -> Decided {
        let known = || after.volumes.iter().chain(&before.volumes);
        let moves = decision.moves.iter().map(|one| {
            let volume = known().find(|volume| volume.target.device == one.device);
            let mount_point = volume.map(|volume| volume.target.mount_point.clone());
            Step { mount_point: mount_point.unwrap_or_default(), moved: Moved::of(one) }
        });
        Decided {
            orders: decision.effects.clone(),
            moves: moves.collect(),
            wake_ms: decision.wake_ms,
        }
    }
}
