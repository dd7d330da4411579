//! Only barriers are advertised, and each is answered with EOPNOTSUPP, with LVM in between: up to
//! Linux 6.10 the first commit after the mount aborts the journal.

use crate::build::GuestKernel;
use crate::scenario::{
    Advertised, Expected, Fate, Flushes, HEALTHY, Host, ORDINARY, Scenario, Storage,
};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "barrier-refused-lvm",
    is_for: GuestKernel::any_or_pvh,
    host: Host {
        storage: Storage::DeviceMapper,
        advertises: Advertised::OnlyBarrier,
        flushes: Flushes::Refused,
        ..HEALTHY
    },
    without: Expected { up_to_6_10: Fate::Aborted, from_6_11: Fate::FlushedOnce },
    with: Expected::always(Fate::FlushedOnce),
    verdict: "refused",
    evidence: "barrier op failed",
    ..ORDINARY
};
