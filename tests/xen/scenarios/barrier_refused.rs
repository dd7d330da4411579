//! Only barriers are advertised, and each is answered with EOPNOTSUPP. Without xvdguard the mount
//! loses a write of the super block to it, in silence, and no journal aborts.

use crate::scenario::{Advertised, Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "barrier-refused",
    host: Host { advertises: Advertised::OnlyBarrier, flushes: Flushes::Refused, ..HEALTHY },
    without: Expected::always(Fate::FlushedOnce),
    with: Expected::always(Fate::FlushedOnce),
    verdict: "refused",
    evidence: "barrier op failed",
    ..ORDINARY
};
