//! The administrator wants no xvdguard, `xvdguard=off`: nothing is asked, nothing is set.

use crate::scenario::{ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "xvdguard-off",
    verdict: "none",
    probes: &[0],
    says: "nothing done",
    words: "xvdguard=off",
    ..ORDINARY
};
