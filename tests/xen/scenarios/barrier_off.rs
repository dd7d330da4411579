//! The administrator wants no barriers, `barrier=off`: obeyed on healthy disks, without a probe,
//! and announced in the kernel log.

use crate::scenario::{Expected, Fate, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "barrier-off",
    with: Expected::always(Fate::Unflushed),
    verdict: "untested",
    probes: &[0],
    says: "barrier=off",
    words: "barrier=off",
    ..ORDINARY
};
