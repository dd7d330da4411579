//! Flushes work at boot and are refused while the file system is in use: up to Linux 6.10 the next
//! commit aborts the journal. Early boot has seen a healthy disk; what helps is the recovery.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::{Flushes, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED};

const ABORTED: Told = Told { up_to_6_10: "journal aborted", from_6_11: "healthy" };

/// The story.
pub const STORY: Story = Story {
    name: "mid-life-refusal",
    is_for: GuestKernel::any,
    is_debian: false,
    without: ABORTED,
    with: ABORTED,
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.boot(&[HEALTHY])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    stage.write("/xvda/before", 20)?;
    stage.flushes(0, Flushes::Refused)?;
    stage.write("/xvda/after", 20)?;
    let fate = stage.fate("xvda")?;
    stage.record("mid-life-refusal")?;
    stage.end()?;
    Ok(fate)
}
