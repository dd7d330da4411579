//! A vbd that may only be read answers every flush with an error: it must not be asked.

use crate::scenario::{Expected, Fate, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "read-only",
    host: Host { is_writable: false, ..HEALTHY },
    roles: &["read"],
    without: Expected::always(Fate::Read),
    with: Expected::always(Fate::Read),
    verdict: "absent",
    probes: &[0],
    ..ORDINARY
};
