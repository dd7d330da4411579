//! The storage of root does not answer for ten minutes, as when a host queues what it cannot do:
//! nothing is done, one sentence is said, and all goes on when the storage does. Flushes are held
//! back while it recovers, where a kernel dies of one that fails, and sent again after that.

use harness::failure::Result;

use crate::own_root::{MAKE_ROOT, ROOT};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-stall",
    is_for: |kernel| ["6.1", "6.12"].contains(&kernel.name.as_str()),
    is_debian: false,
    without: NOT_TOLD,
    with: always("20 written during the stall, 1 notice, stays up, healthy, flushed"),
    guard: UNCONFIGURED,
    tell,
};

const DURING: &str = "/init write /xvda/during 20";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    stage.data(0, "stalled")?;
    stage.begin(DURING)?;
    stage.host("# let time pass\nsleep 600")?;
    stage.heals()?;
    let written = stage.finish(DURING)?;
    let reboots = stage.reboots()?;
    let healthy = stage.is_root_healthy("after")?;
    let notices = stage.console()?.matches("stalled: ").count();
    let before = stage.count_flushes(0)?;
    stage.write("/xvda/flushed", 5)?;
    let flushed = if stage.count_flushes(0)? > before { "flushed" } else { "not flushed" };
    stage.end()?;
    let written = written.trim();
    let end = format!("{reboots}, {healthy}, {flushed}");
    Ok(format!("{written} written during the stall, {notices} notice, {end}"))
}
