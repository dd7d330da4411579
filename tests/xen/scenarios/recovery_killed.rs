//! Root is dead, and then the daemon is killed: its keeper waits for the storage alone, and
//! reboots.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::own_root::{ERRORS, MAKE_ROOT, ROOT};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-killed",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: NOT_TOLD,
    with: always("aborted, daemon killed: stays up while the storage is gone, reboots, healthy"),
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    let fate = stage.fails(ERRORS, 60)?;
    stage.guest("kill -9 $(cat /xvda/run/daemon.pid)")?;
    let meanwhile = if stage.is_down(60)? { "goes down" } else { "stays up" };
    stage.heals()?;
    let reboots = stage.reboots()?;
    stage.boot_again()?;
    let healthy = stage.is_root_healthy("after")?;
    stage.end()?;
    Ok(format!(
        "{fate}, daemon killed: {meanwhile} while the storage is gone, {reboots}, {healthy}"
    ))
}
