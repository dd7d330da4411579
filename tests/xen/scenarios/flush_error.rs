//! Flushes are advertised, and each is answered with an error, as a dead storage does it.

use crate::build::GuestKernel;
use crate::scenario::{Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "flush-error",
    is_for: GuestKernel::any_or_pvh,
    host: Host { flushes: Flushes::Fail, ..HEALTHY },
    without: Expected::always(Fate::FlushedOnce),
    with: Expected::always(Fate::FlushedOnce),
    verdict: "failing",
    evidence: "empty flush op failed",
    ..ORDINARY
};
