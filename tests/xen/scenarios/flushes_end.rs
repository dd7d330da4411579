//! Flushes work at boot and no longer while the file system is in use, because the backend begins
//! to refuse them, or because the guest was moved to one that knows neither flush nor barrier: up
//! to Linux 6.10 the next commit aborts the journal. Early boot has seen a healthy disk; what helps
//! is the recovery.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::{Advertised, Flushes, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED};

const ABORTED: Told = Told { up_to_6_10: "journal aborted", from_6_11: "healthy" };

/// They are refused.
pub const REFUSED: Story = Story {
    name: "mid-life-refusal",
    is_for: GuestKernel::any,
    is_debian: false,
    without: ABORTED,
    with: ABORTED,
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, "mid-life-refusal", |stage| stage.flushes(0, Flushes::Refused)),
};

/// The guest is saved, and restored elsewhere.
pub const MOVED: Story = Story {
    name: "moved-without-flush",
    tell: |stage| tell(stage, "moved-without-flush", |stage| stage.move_to(Advertised::Nothing)),
    ..REFUSED
};

fn tell(stage: &mut Stage, name: &str, end: fn(&mut Stage) -> Result<()>) -> Result<String> {
    stage.boot(&[HEALTHY])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    stage.write("/xvda/before", 20)?;
    end(stage)?;
    stage.write("/xvda/after", 20)?;
    let fate = stage.fate("xvda")?;
    stage.record(name)?;
    stage.end()?;
    Ok(fate)
}
