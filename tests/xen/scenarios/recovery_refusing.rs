//! Storage that answers reads again and refuses writes: no boot would mount that root, so the guest
//! stays up for as long as that lasts, and reboots when it is over.

use harness::failure::Result;

use crate::own_root::{MAKE_ROOT, ROOT};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-writes-refused",
    is_for: |kernel| ["6.1", "6.12"].contains(&kernel.name.as_str()),
    is_debian: false,
    without: NOT_TOLD,
    with: always("writes refused: aborted, stays up; taken again: reboots, healthy"),
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    let fate = stage.fails("echo write-error >/sys/block/sick0/data", 60)?;
    let refused = stage.reboots()?;
    stage.heals()?;
    let mut told = stage.reboots()?.to_owned();
    if told == "reboots" {
        stage.boot_again()?;
        told = format!("{told}, {}", stage.is_root_healthy("after")?);
    }
    stage.end()?;
    Ok(format!("writes refused: {fate}, {refused}; taken again: {told}"))
}
