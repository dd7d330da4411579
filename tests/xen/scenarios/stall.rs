//! The storage does not answer for a while, as when a host queues what it cannot do: nothing may be
//! lost, and nothing may be called broken.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::HEALTHY;
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "stall",
    is_for: GuestKernel::any,
    is_debian: false,
    without: always("healthy, 20 written during the stall, 0 errors"),
    with: always("healthy, 20 written during the stall, 0 errors"),
    guard: UNCONFIGURED,
    tell,
};

const DURING: &str = "/init write /xvda/during 20";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.boot(&[HEALTHY])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    stage.write("/xvda/before", 20)?;
    stage.data(0, "stalled")?;
    stage.begin(DURING)?;
    stage.host("# let time pass\nsleep 20")?;
    stage.data(0, "ok")?;
    let written = stage.finish(DURING)?;
    let errors = stage.guest("dmesg | grep -c 'I/O error'; true")?;
    let fate = stage.fate("xvda")?;
    stage.record("stall")?;
    stage.end()?;
    Ok(format!("{fate}, {} written during the stall, {} errors", written.trim(), errors.trim()))
}
