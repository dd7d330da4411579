//! LVM below DRBD, healthy: what the guest flushes is flushed at the lowest device, with xvdguard
//! as without. (Storage that refuses flushes is beyond help here: DRBD gives up its disk when its
//! own data cannot be flushed.)

use harness::failure::{Result, Tried};

use super::apply_debian::VERDICTS;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "drbd-on-lvm",
    is_for: |kernel| ["6.1", "6.12"].contains(&kernel.name.as_str()),
    is_debian: false,
    without: always("healthy, flushed"),
    with: always("healthy, flushed; proven"),
    guard: UNCONFIGURED,
    tell,
};

/// DRBD's disk.
pub const DISK: Host = Host { storage: Storage::Made("/dev/drbd0"), ..HEALTHY };

/// Makes it, with a file system.
pub const MAKE: &str = r#"# DRBD on LVM on a sick disk
set -e
hostname dom0
rmmod sick_disk 2>/dev/null || true
insmod /modules/sick_disk.ko disks=1 megabytes=64
size=$(blockdev --getsz /dev/sick0)
dmsetup create bed-below --noudevsync --table "0 $size linear /dev/sick0 0"
dmsetup mknodes
mkdir -p /etc/drbd.d /var/lib/drbd /run/drbd
echo 'global { usage-count no; }
resource bed {
  device /dev/drbd0; disk /dev/mapper/bed-below; meta-disk internal;
  on dom0 { address 127.0.0.1:7789; }
  on peer { address 127.0.0.1:7790; }
}' >/etc/drbd.conf
drbdadm create-md --force bed
drbdadm up bed
drbdadm primary --force bed
mkfs.ext3 -q -F /dev/drbd0
"#;

fn tell(stage: &mut Stage) -> Result<String> {
    /// Each ends in a flush.
    const WRITES: u64 = 50;
    stage.spoil();
    stage.host(MAKE)?;
    stage.boot(&[DISK])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    let count = "# flushes at the lowest device\ncut -d ' ' -f 1 /sys/block/sick0/flushes";
    let before: u64 = stage.host(count)?.trim().parse().tried("count flushes")?;
    stage.write("/xvda/synced", WRITES)?;
    let after: u64 = stage.host(count)?.trim().parse().tried("count flushes")?;
    let fate = stage.fate("xvda")?;
    let verdict = stage.is_guarded().then(|| stage.guest(VERDICTS)).transpose()?;
    stage.end()?;
    let flushed = if after - before >= WRITES { "flushed" } else { "not flushed" };
    let verdict = verdict.map(|verdict| format!("; {}", verdict.trim())).unwrap_or_default();
    Ok(format!("{fate}, {flushed}{verdict}"))
}
