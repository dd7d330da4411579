//! Only flush is advertised, and it works, as QEMU's qdisk does it.

use crate::scenario::{Advertised, HEALTHY, Host, ORDINARY, Scenario};

/// The scenario.
pub const SCENARIO: Scenario = Scenario {
    name: "only-flush",
    host: Host { advertises: Advertised::OnlyFlush, ..HEALTHY },
    verdict: "proven",
    evidence: "a flush was sent and answered",
    ..ORDINARY
};
