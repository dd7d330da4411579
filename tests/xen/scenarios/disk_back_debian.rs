//! A disk is taken away and comes back on a backend that refuses flushes, as udev sees it: the disk
//! is probed when it appears, before systemd hears of it, and nothing that was known of the disk
//! before holds any more; the limit of the configuration is set again.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{Flushes, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "disk-back-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always("proven,proven; away: proven; back: proven,refused, limit 4, healthy"),
    guard: UNCONFIGURED,
    tell,
};

const CONFIGURE: &str = "# a limit\nprintf '[[queue]]\\nmatch = \"xvdb\"\\nmax_sectors_kb = 4\\n' \
    >/etc/xvdguard/config.d/drbd.toml && systemctl reload xvdguard";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT, HEALTHY])?;
    let before = stage.guest(VERDICTS)?;
    stage.guest(CONFIGURE)?;
    stage.detach(1)?;
    let away = stage.guest(&format!("udevadm settle\n{VERDICTS}"))?;
    stage.flushes(1, Flushes::Refused)?;
    stage.attach(1)?;
    stage
        .guest("# the disk is there\nuntil [ -e /dev/xvdb ]; do sleep 0.3; done; udevadm settle")?;
    let back = stage.guest(VERDICTS)?;
    let limit = stage.guest("cat /sys/block/xvdb/queue/max_sectors_kb")?;
    stage.guest("mkdir -p /xvdb && mount -t ext3 /dev/xvdb /xvdb")?;
    stage.write("/xvdb/synced", 20)?;
    let fate = stage.fate("xvdb")?;
    stage.end()?;
    let [before, away, back, limit] =
        [before, away, back, limit].map(|said| said.trim().to_owned());
    Ok(format!("{before}; away: {away}; back: {back}, limit {limit}, {fate}"))
}
