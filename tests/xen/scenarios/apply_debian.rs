//! A Debian whose data disk refuses flushes: `apply` writes `barrier=0` to the line of that disk
//! and to no other, which the next boot obeys; once the backend is healthy, `apply` takes our edit
//! back.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{Flushes, HEALTHY, Host, Storage};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "apply-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always(
        "proven, refused; edited: /dev/xvdb /data ext3 defaults,barrier=0 0 2; mounted: nobarrier; \
         proven, proven; fstab as before",
    ),
    guard: UNCONFIGURED,
    tell,
};

/// Debian's own disk.
pub const ROOT: Host = Host { storage: Storage::Over("/dev/vdb"), ..HEALTHY };
const DATA: Host = Host { flushes: Flushes::Refused, ..HEALTHY };

/// The verdicts of all disks, once the boot has ended where there is a systemd.
pub const VERDICTS: &str = "# verdicts\nsystemctl is-system-running --wait >/dev/null 2>&1\n\
    xvdguard status --json | grep -o '\"verdict\": *\"[a-z]*\"' | cut -d'\"' -f4 | paste -s -d, -";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT, DATA])?;
    stage.guest(
        "# a line for data\necho '/dev/xvdb /data ext3 defaults 0 2' >>/etc/fstab\n\
         cp /etc/fstab /root/fstab\nsystemctl daemon-reload\nmount /data",
    )?;
    let refused = stage.guest(VERDICTS)?;
    stage.guest("xvdguard apply")?;
    let edited =
        stage.guest("# what is new\ngrep -vxFf /root/fstab /etc/fstab | grep -v '^#'; true")?;
    stage.reboot()?;
    let mounted = stage
        .guest("# how data is mounted\ngrep -o 'nobarrier' /proc/mounts || echo barrier; true")?;
    stage.flushes(1, Flushes::Work)?;
    stage.reboot()?;
    let proven = stage.guest(VERDICTS)?;
    stage.guest("xvdguard apply")?;
    let back = stage.guest(
        "# is it as it was\ncmp -s /root/fstab /etc/fstab && echo fstab as before || diff \
         /root/fstab /etc/fstab; true",
    )?;
    stage.end()?;
    let [refused, edited, mounted, proven, back] =
        [refused, edited, mounted, proven, back].map(|said| said.trim().replace('\n', " / "));
    Ok(format!(
        "{}; edited: {edited}; mounted: {mounted}; {}; {back}",
        refused.replace(',', ", "),
        proven.replace(',', ", ")
    ))
}
