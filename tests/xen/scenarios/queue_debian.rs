//! A Debian whose configuration limits requests, as its host's DRBD needs it: the limit is there
//! after a reboot, and comes back when udev looks at the disks again, and when one has grown.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "queue-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always("128 128, after a reboot 4 4, changed 128 128, triggered 4 4, grown 128 4"),
    guard: UNCONFIGURED,
    tell,
};

const ROOT: Host = Host { storage: Storage::Over("/dev/vdb"), ..HEALTHY };

const LIMITS: &str = "# limits of both disks\nsystemctl is-system-running --wait >/dev/null\n\
    udevadm settle\ncat /sys/block/xvd[ab]/queue/max_sectors_kb | paste -s -d ' ' -";

/// By hand, behind everybody's back.
const CHANGE: &str = "echo 128 | tee /sys/block/xvd[ab]/queue/max_sectors_kb >/dev/null\n";

const GROWN: &str = "for look in $(seq 50); do dmesg | grep -q 'xvdb: detected capacity change' \
    && break; sleep 0.2; done; sleep 1\n";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT, HEALTHY])?;
    let before = stage.guest(LIMITS)?;
    stage.guest(
        "# configure\nprintf '[[queue]]\\nmatch = \"xvd*\"\\nmax_sectors_kb = 4\\n' \
         >/etc/xvdguard/config.d/drbd.toml && xvdguard config check",
    )?;
    stage.reboot()?;
    let rebooted = stage.guest(LIMITS)?;
    let changed = stage.guest(&format!("{CHANGE}{LIMITS}"))?;
    let triggered = stage.guest(&format!("udevadm trigger\n{LIMITS}"))?;
    stage.guest(CHANGE)?;
    stage.grow(1)?;
    let grown = stage.guest(&format!("# the guest has seen it\n{GROWN}{LIMITS}"))?;
    stage.end()?;
    let [before, rebooted, changed, triggered, grown] =
        [before, rebooted, changed, triggered, grown].map(|said| said.trim().to_owned());
    Ok(format!(
        "{before}, after a reboot {rebooted}, changed {changed}, triggered {triggered}, \
         grown {grown}"
    ))
}
