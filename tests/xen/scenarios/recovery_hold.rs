//! The host holds a guest and migrates it, which takes the host's node away; then root dies.
//! Nothing is done until somebody in the guest releases it.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::own_root::{ERRORS, MAKE_ROOT, ROOT};
use crate::scenario::Advertised;
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-hold",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: NOT_TOLD,
    with: always("held and migrated: no node, aborted, stays up; released: reboots, healthy"),
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    let node = format!("/local/domain/{}/data/xvdguard/hold", stage.domain());
    stage.host(&format!("# hold\nxenstore-write {node} maintenance\nsleep 2"))?;
    stage.move_to(Advertised::FlushAndBarrier)?;
    let node = stage.guest("xenstore-read data/xvdguard/hold 2>/dev/null || echo no node")?;
    let fate = stage.fails(ERRORS, 15)?;
    stage.heals()?;
    let held = stage.reboots()?;
    stage.guest("chroot /xvda /bin/xvdguard release")?;
    let released = stage.reboots()?;
    stage.boot_again()?;
    let healthy = stage.is_root_healthy("after")?;
    stage.end()?;
    let node = node.trim();
    Ok(format!("held and migrated: {node}, {fate}, {held}; released: {released}, {healthy}"))
}
