//! Flush and barrier are advertised, and both work: nothing may be lost, nothing added.

use crate::build::GuestKernel;
use crate::scenario::{ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "healthy",
    is_for: GuestKernel::any_or_pvh,
    verdict: "proven",
    evidence: "a flush was sent and answered",
    ..ORDINARY
};
