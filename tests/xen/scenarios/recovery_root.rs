//! The storage of root answers with errors for a while, and nothing of root is in memory: the guest
//! reboots by itself once the storage is back, with an init that the keeper does not know. It stays
//! up while the storage is gone.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::own_root::{ERRORS, MAKE_ROOT, ROOT};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-root",
    is_for: GuestKernel::any,
    is_debian: false,
    without: always("15 s: aborted, stays up"),
    with: always(
        "15 s: aborted, reboots, healthy; 3 min: aborted, reboots, healthy; never back: aborted, \
         stays up",
    ),
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    if !stage.is_guarded() {
        let told = outage(stage, 15)?;
        stage.end()?;
        return Ok(format!("15 s: {told}"));
    }
    // The budget is another story.
    stage.configure_reboot("at_most = 9")?;
    let mut told = Vec::new();
    for (name, seconds) in [("15 s", 15), ("3 min", 180)] {
        let mut what = outage(stage, seconds)?;
        if what.ends_with("reboots") {
            stage.boot_again()?;
            what = format!("{what}, {}", stage.is_root_healthy(&format!("after-{seconds}"))?);
        }
        told.push(format!("{name}: {what}"));
    }
    told.push(format!("never back: {}, {}", stage.fails(ERRORS, 600)?, stage.reboots()?));
    stage.end()?;
    Ok(told.join("; "))
}

fn outage(stage: &mut Stage, seconds: u32) -> Result<String> {
    let fate = stage.fails(ERRORS, seconds)?;
    stage.heals()?;
    Ok(format!("{fate}, {}", stage.reboots()?))
}
