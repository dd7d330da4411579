//! Flush and barrier are advertised, and both work: nothing may be lost, nothing added.

use crate::scenario::{ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "healthy",
    verdict: "proven",
    evidence: "a flush was sent and answered",
    ..ORDINARY
};
