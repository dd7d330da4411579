//! The scenarios, one file each; the order is that of the report.

use crate::scenario::Scenario;

mod barrier_error;
mod barrier_error_lvm;
mod barrier_off;
mod barrier_refused;
mod barrier_refused_lvm;
mod flush_error;
mod flush_refused;
mod healthy;
mod lever_mount;
mod nothing_advertised;
mod only_flush;
mod read_only;
mod sixteen_errors;
mod xvdguard_off;
mod zero_advertised;

/// All of them.
pub const ALL: [Scenario; 15] = [
    healthy::SCENARIO,
    only_flush::SCENARIO,
    flush_refused::SCENARIO,
    flush_error::SCENARIO,
    barrier_refused::SCENARIO,
    barrier_error::SCENARIO,
    barrier_refused_lvm::SCENARIO,
    barrier_error_lvm::SCENARIO,
    nothing_advertised::SCENARIO,
    zero_advertised::SCENARIO,
    read_only::SCENARIO,
    barrier_off::SCENARIO,
    xvdguard_off::SCENARIO,
    lever_mount::SCENARIO,
    sixteen_errors::SCENARIO,
];
