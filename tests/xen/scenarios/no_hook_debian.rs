//! A Debian that was started with the host's kernel and ramdisk, which know nothing of xvdguard:
//! the unit, or init script, that runs before anything but root is mounted protects the other
//! disks, and `check` says that it was not the initramfs.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::order::System;
use crate::scenario::{Advertised, Flushes, HEALTHY, Host, Storage};
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "no-hook-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: always("data: journal aborted"),
    with: always("data: healthy; proven,refused; check: early-stage-after-root"),
    guard: UNCONFIGURED,
    tell,
};

/// The same where the second chance is an init script.
pub const SYSVINIT: (Kind, Story) = (
    Kind { init: "sysvinit-core", ..USUAL },
    Story { name: "no-hook-sysvinit", without: NOT_TOLD, ..STORY },
);

const DATA: Host = Host {
    storage: Storage::DeviceMapper,
    advertises: Advertised::OnlyBarrier,
    flushes: Flushes::Refused,
    ..HEALTHY
};

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::DebianWithoutHook, &[ROOT, DATA])?;
    stage.guest("mkdir /xvdb && mount -t ext3 /dev/xvdb /xvdb")?;
    stage.write("/xvdb/synced", 50)?;
    let fate = format!("data: {}", stage.fate("xvdb")?);
    if !stage.is_guarded() {
        stage.end()?;
        return Ok(fate);
    }
    let verdicts = stage.guest(VERDICTS)?;
    let found = stage.guest(
        "# what check finds in the stages of this boot\n\
         xvdguard check --json | grep -o '\"rule\": *\"early-[a-z-]*\"' | cut -d'\"' -f4",
    )?;
    stage.end()?;
    let [verdicts, found] = [verdicts, found].map(|said| said.trim().replace('\n', ","));
    Ok(format!("{fate}; {verdicts}; check: {found}"))
}
