//! `xvdguard daemon` in a process tree that takes this machine for a guest: how soon it knows of a
//! dead journal, and what it costs while nothing happens.

mod idle;
mod large;
mod latency;
mod outage;
mod processes;
mod rivals;
mod watched;

use harness::failure::Result;

use crate::bench::Bench;
use crate::report::Chapter;

/// From a dead journal to the verdict.
pub fn latency(bench: &Bench) -> Result<Chapter> {
    latency::chapter(bench)
}

/// While nothing happens.
pub fn idle(bench: &Bench) -> Result<Chapter> {
    idle::chapter(bench)
}

/// Many disks and mounts.
pub fn large(bench: &Bench) -> Result<Chapter> {
    large::chapter(bench)
}

/// From an answer of the storage to a volume that takes writes.
pub fn outage(bench: &Bench) -> Result<Chapter> {
    outage::chapter(bench)
}
