//! A Debian that was started with the host's kernel and ramdisk, which know nothing of xvdguard:
//! the unit that runs before anything but root is mounted protects the other disks, and `check`
//! says that it was not the initramfs.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{Advertised, Flushes, HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "no-hook-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: always("data: journal aborted"),
    with: always("data: healthy"),
    guard: UNCONFIGURED,
    tell,
};

const DATA: Host = Host {
    storage: Storage::DeviceMapper,
    advertises: Advertised::OnlyBarrier,
    flushes: Flushes::Refused,
    ..HEALTHY
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::DebianWithoutHook, &[ROOT, DATA])?;
    let verdicts = stage.guest(VERDICTS)?;
    stage.guest("mkdir /xvdb && mount -t ext3 /dev/xvdb /xvdb")?;
    stage.write("/xvdb/synced", 50)?;
    let fate = stage.fate("xvdb")?;
    let findings = stage.guest(
        "# what check says of this boot\n\
         journalctl -b -u xvdguard-early.service -o cat | head -n 5\n\
         xvdguard check | head -n 12; true",
    )?;
    crate::say(&format!("{verdicts}{findings}"));
    stage.end()?;
    Ok(format!("data: {fate}"))
}
