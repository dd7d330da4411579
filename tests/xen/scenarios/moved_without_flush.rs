//! The guest is saved, and restored where the backend knows neither flush nor barrier: up to Linux
//! 6.10 blkfront refuses the next commit's flush, and the journal is aborted.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::{Advertised, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED};

const ABORTED: Told = Told { up_to_6_10: "journal aborted", from_6_11: "healthy" };

/// The story.
pub const STORY: Story = Story {
    name: "moved-without-flush",
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
    stage.move_to(Advertised::Nothing)?;
    stage.write("/xvda/after", 20)?;
    let fate = stage.fate("xvda")?;
    stage.record("moved-without-flush")?;
    stage.end()?;
    Ok(fate)
}
