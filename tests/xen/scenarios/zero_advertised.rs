//! The backend advertises 0, as blkback does for a disk without a write cache.

use crate::scenario::{Advertised, Expected, Fate, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "zero-advertised",
    host: Host { advertises: Advertised::Zero, ..HEALTHY },
    without: Expected::always(Fate::Unflushed),
    with: Expected::always(Fate::Unflushed),
    verdict: "off",
    evidence: "feature-flush-cache = 0, feature-barrier = 0",
    probes: &[0],
    ..ORDINARY
};
