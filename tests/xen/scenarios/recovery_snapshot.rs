//! While its storage fails, the host puts an older snapshot, or another file system, where root
//! was: a reboot is a person's to order, since nobody knows what it would boot.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::own_root::{ERRORS, MAKE_ROOT, ROOT};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The disk as it was some boots ago.
pub const OLDER: Story = Story {
    name: "recovery-snapshot",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: NOT_TOLD,
    with: always("aborted, stays up, what came back is not what was there"),
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, "cp /run/older /dev/sick0"),
};

/// Another file system.
pub const OTHER: Story = Story {
    name: "recovery-other-disk",
    tell: |stage| tell(stage, "mkfs.ext3 -q -F -b 1024 -E lazy_itable_init=0 /dev/sick0"),
    ..OLDER
};

fn tell(stage: &mut Stage, replace: &str) -> Result<String> {
    stage.host(MAKE_ROOT)?;
    stage.host("# keep it as it is now\ncp /dev/sick0 /run/older")?;
    stage.boot_own_root(ROOT)?;
    let fate = stage.fails(ERRORS, 15)?;
    let domain = stage.domain().to_owned();
    stage.host(&format!(
        "# another disk in its place\nset -e\nxl pause {domain}\n\
         echo ok >/sys/block/sick0/data\n{replace}\nsync\nrm /run/older\nxl unpause {domain}"
    ))?;
    let reboots = stage.reboots()?;
    let why = "what came back is not what was there";
    let printed = stage.console()?;
    stage.end()?;
    let why = if printed.contains(why) { why } else { "it does not say why" };
    Ok(format!("{fate}, {reboots}, {why}"))
}
