//! The backend of ten disks in use begins to refuse flushes. Up to Linux 6.10 every journal dies of
//! the commit that meets it first, and blkfront switches flushes off by itself: a recovery is all
//! that is missing. How many of ten live a while later, with the daemon and without.

use harness::failure::Result;

use super::hundred_disks::DAEMON;
use crate::build::GuestKernel;
use crate::order::disk_name;
use crate::scenario::{Flushes, HEALTHY};
use crate::story::{MOUNT_ALL, Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-refused",
    is_for: GuestKernel::any,
    is_debian: false,
    without: Told { up_to_6_10: "healthy: 0 of 10", from_6_11: "healthy: 10 of 10" },
    with: always("healthy: 10 of 10"),
    guard: UNCONFIGURED,
    tell,
};

const DISKS: usize = 10;

/// A write every other second, for as long as that succeeds.
const WRITERS: &str = "# somebody writes\nfor disk in /xvd?; do\n\
    (while rm -f $disk/new-0; /init write $disk/new 1 | grep -q ^1; do sleep 2; done) \
    >/dev/null 2>&1 &\ndone";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.boot(&[HEALTHY; DISKS])?;
    stage.guest(MOUNT_ALL)?;
    if stage.is_guarded() {
        stage.guest(DAEMON)?;
    }
    stage.guest(WRITERS)?;
    stage.host("# all is well\nsleep 5")?;
    for place in 0..DISKS {
        stage.flushes(place, Flushes::Refused)?;
    }
    stage.host("# longer than ten recoveries take\nsleep 150")?;
    let mut healthy = 0;
    for place in 0..DISKS {
        // Its journal may have died and be replaced: what counts is that it takes writes by now.
        let disk = disk_name(place);
        let is_healthy = stage.write(&format!("/{disk}/last"), 3)? == 3;
        healthy += u32::from(is_healthy);
        if stage.is_guarded() && !is_healthy {
            crate::say(&stage.guest(&format!(
                "# what is wrong with {disk}\ngrep {disk} /proc/mounts; df /{disk}; ls -l /{disk}\n\
                 dmesg | grep {disk} | tail -n 20; true"
            ))?);
        }
    }
    if stage.is_guarded() {
        let told = "cat /run/daemon.log; date; stat -c '%y %n' /run/xvdguard/record/*; true";
        crate::say(&stage.guest(told)?);
    }
    stage.end()?;
    Ok(format!("healthy: {healthy} of {DISKS}"))
}
