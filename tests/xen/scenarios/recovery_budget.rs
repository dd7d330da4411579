//! Storage that fails again after each boot: the guest reboots as often as its budget says, and
//! then stays up and tells.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::own_root::{ERRORS, MAKE_ROOT, ROOT};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// Storage that is well again for a while.
pub const STORY: Story = Story {
    name: "recovery-budget",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: NOT_TOLD,
    with: always("reboots, reboots, stays up: 2 boots have not ended well"),
    guard: UNCONFIGURED,
    tell,
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.boot_own_root(ROOT)?;
    let mut told = Vec::new();
    while told.last() != Some(&"stays up") && told.len() < 9 {
        // As long as it is up at least before it may reboot.
        stage.host("# let time pass\nsleep 60")?;
        stage.fails(ERRORS, 15)?;
        stage.heals()?;
        told.push(stage.reboots()?);
        if told.last() == Some(&"reboots") {
            stage.boot_again()?;
        }
    }
    let why = "2 boots have not ended well";
    let printed = stage.console()?;
    stage.end()?;
    let why = if printed.contains(why) { why } else { "it does not say why" };
    Ok(format!("{}: {why}", told.join(", ")))
}
