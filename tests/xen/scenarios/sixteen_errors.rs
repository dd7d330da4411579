//! Sixteen disks whose flushes all end in an error at once. From Linux 6.11 the kernel's line is
//! the only trace of that, and the kernel limits its rate: xvdguard asks only as many disks as it
//! can hear of, and calls no disk proven for silence.

use crate::build::GuestKernel;
use crate::scenario::{Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "sixteen-errors",
    is_for: GuestKernel::hides_failures,
    host: Host { flushes: Flushes::Fail, ..HEALTHY },
    roles: &[
        "root", "data", "data", "data", "data", "data", "data", "data", "data", "data", "data",
        "data", "data", "data", "data", "data",
    ],
    without: Expected::always(Fate::FlushedOnce),
    with: Expected::always(Fate::FlushedOnce),
    verdict: "failing or lost or untested",
    probes: &[0, 1],
    ..ORDINARY
};
