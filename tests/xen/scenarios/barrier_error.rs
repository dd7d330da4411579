//! Only barriers are advertised, and each is answered with an error: without xvdguard the first
//! one, a write of the super block, makes the mount fail.

use crate::scenario::{Advertised, Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "barrier-error",
    host: Host { advertises: Advertised::OnlyBarrier, flushes: Flushes::Fail, ..HEALTHY },
    without: Expected::always(Fate::Unmountable),
    with: Expected::always(Fate::FlushedOnce),
    verdict: "failing",
    evidence: "empty barrier op failed",
    ..ORDINARY
};
