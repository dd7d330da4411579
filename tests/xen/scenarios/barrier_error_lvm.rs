//! Only barriers are advertised, and each is answered with an error, with LVM in between.

use crate::scenario::{
    Advertised, Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario, Storage,
};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "barrier-error-lvm",
    host: Host {
        storage: Storage::DeviceMapper,
        advertises: Advertised::OnlyBarrier,
        flushes: Flushes::Fail,
        ..HEALTHY
    },
    without: Expected { up_to_6_10: Fate::Aborted, from_6_11: Fate::FlushedOnce },
    with: Expected::always(Fate::FlushedOnce),
    verdict: "failing",
    evidence: "empty barrier op failed",
    ..ORDINARY
};
