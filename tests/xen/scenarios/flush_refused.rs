//! Flushes are advertised, and each is answered with EOPNOTSUPP. A flush that is alone when it is
//! refused does no harm; without xvdguard it is the mount that sends it.

use crate::scenario::{Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "flush-refused",
    host: Host { flushes: Flushes::Refused, ..HEALTHY },
    without: Expected::always(Fate::FlushedOnce),
    with: Expected::always(Fate::FlushedOnce),
    verdict: "refused",
    evidence: "flush op failed",
    ..ORDINARY
};
