//! The backends of idle disks begin to refuse flushes, and a daemon whose policy wants that writes
//! to each volume at every tick. Up to Linux 6.10 the commit that meets the refusal first kills the
//! journal: here the daemon's own, unless a flush alone came before it.

use harness::failure::Result;

use super::hundred_disks::DAEMON;
use crate::build::GuestKernel;
use crate::order::disk_name;
use crate::scenario::{Flushes, HEALTHY};
use crate::story::{MOUNT_ALL, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-probed",
    is_for: GuestKernel::switches_off,
    is_debian: false,
    without: always("flushed and refused: 0 of 4, journals that died of the next write: 4"),
    with: always("flushed and refused: 4 of 4, journals that died of the next write: 0"),
    guard: UNCONFIGURED,
    tell,
};

const DISKS: usize = 4;
const EVERY_TICK: &str = "# it writes to each volume at every tick\nmkdir -p /etc/xvdguard\n\
    printf '[daemon]\\nwrite_probe = \"every-tick\"\\ntick = \"10s\"\\n' \
    >/etc/xvdguard/config.toml";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.boot(&[HEALTHY; DISKS])?;
    stage.guest(MOUNT_ALL)?;
    if stage.is_guarded() {
        stage.guest(EVERY_TICK)?;
        stage.guest(DAEMON)?;
    }
    stage.host("# all is well\nsleep 15")?;
    for place in 0..DISKS {
        stage.flushes(place, Flushes::Refused)?;
    }
    stage.host("# three ticks\nsleep 35")?;
    let refused = count(stage, "blkfront: xvd.: .* op failed")?;
    for place in 0..DISKS {
        stage.write(&format!("/{}/last", disk_name(place)), 3)?;
    }
    let died = count(stage, "Aborting journal on device xvd.")?;
    stage.end()?;
    Ok(format!(
        "flushed and refused: {refused} of {DISKS}, journals that died of the next write: {died}"
    ))
}

/// Disks of which the kernel said so.
fn count(stage: &mut Stage, what: &str) -> Result<String> {
    let script = format!("dmesg | grep -o '{what}' | grep -o 'xvd.' | sort -u | wc -l");
    Ok(stage.guest(&script)?.trim().to_owned())
}
