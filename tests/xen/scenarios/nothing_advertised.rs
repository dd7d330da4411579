//! The backend says nothing of flushes: the guest sends none, and that is its right.

use crate::scenario::{Advertised, Expected, Fate, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "nothing-advertised",
    host: Host { advertises: Advertised::Nothing, ..HEALTHY },
    without: Expected::always(Fate::Unflushed),
    with: Expected::always(Fate::Unflushed),
    verdict: "absent",
    probes: &[0],
    ..ORDINARY
};
