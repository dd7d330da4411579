//! The storage answers with errors for some seconds and is healthy again: the journal stays dead,
//! whatever the kernel. Early boot cannot help; what does is the recovery.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::HEALTHY;
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "error-window",
    is_for: GuestKernel::any,
    is_debian: false,
    without: always("journal aborted"),
    with: always("journal aborted"),
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, "error"),
};

/// Writes fail, reads do not: as long as nobody writes nothing is seen.
pub const ONLY_WRITES: Story =
    Story { name: "write-errors", tell: |stage| tell(stage, "write-error"), ..STORY };

fn tell(stage: &mut Stage, fault: &str) -> Result<String> {
    stage.boot(&[HEALTHY])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    stage.write("/xvda/before", 20)?;
    stage.data(0, fault)?;
    stage.write("/xvda/during", 20)?;
    // The journal is written every 5 s.
    stage.host("sleep 12")?;
    stage.data(0, "ok")?;
    stage.guest("# the device answers again\ndd if=/dev/xvda of=/dev/null bs=4k count=1")?;
    stage.write("/xvda/after", 20)?;
    let fate = stage.fate("xvda")?;
    stage.record(fault)?;
    stage.end()?;
    Ok(fate)
}
