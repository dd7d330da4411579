//! The lever of kernels below 4.7, proven where a wrong flush is deadly: root is mounted with the
//! `barrier=0` that xvdguard leaves for it, and the queue is not touched.

use crate::scenario::{
    Advertised, Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario, Storage,
};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "lever-mount",
    host: Host {
        storage: Storage::DeviceMapper,
        advertises: Advertised::OnlyBarrier,
        flushes: Flushes::Refused,
        ..HEALTHY
    },
    roles: &["root"],
    without: Expected { up_to_6_10: Fate::Aborted, from_6_11: Fate::FlushedOnce },
    with: Expected::always(Fate::Unflushed),
    verdict: "untested",
    probes: &[0],
    says: "barrier=off",
    root_options: "barrier=0",
    words: "root=/dev/xvda barrier=off",
    policy: "barrier.lever=mount",
    ..ORDINARY
};
