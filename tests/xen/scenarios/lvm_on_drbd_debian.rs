//! The same as `lvm_on_drbd` with a Debian on it, three boots: its root is on DRBD, with DRBD's own
//! data beside it so that the disk keeps its content. Its boot flushes nothing of itself, as those
//! systems did not that died of it: else Debian 12 would be saved by accident.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{Advertised, HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "lvm-on-drbd-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: always("journal aborted in 1 of 1"),
    with: always("healthy in 3 of 3"),
    guard: UNCONFIGURED,
    tell,
};

const ROOT: Host = Host {
    storage: Storage::Made("/dev/mapper/bed-root"),
    advertises: Advertised::OnlyBarrier,
    ..HEALTHY
};

const MAKE: &str = r#"# the device-mapper on a sick disk on DRBD
set -e
hostname dom0
truncate -s 8M /run/drbd.img
losetup /dev/loop0 /run/drbd.img
mkdir -p /etc/drbd.d /var/lib/drbd /run/drbd
echo 'global { usage-count no; }
resource bed {
  device /dev/drbd0; disk /dev/vdb; flexible-meta-disk /dev/loop0;
  on dom0 { address 127.0.0.1:7789; }
  on peer { address 127.0.0.1:7790; }
}' >/etc/drbd.conf
drbdadm create-md --force bed
drbdadm up bed
drbdadm primary --force bed
insmod /modules/sick_disk.ko disks=1 over=/dev/drbd0
size=$(blockdev --getsz /dev/sick0)
dmsetup create bed-root --noudevsync --table "0 $size linear /dev/sick0 0"
dmsetup mknodes
echo refused >/sys/block/sick0/flush
"#;

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.host(MAKE)?;
    let boots = if stage.is_guarded() { 3 } else { 1 };
    let mut healthy = 0;
    let mut fate = String::new();
    for boot in 0..boots {
        match boot {
            0 => stage.boot_as(System::DebianWithoutFlush, &[ROOT])?,
            _ => stage.reboot()?,
        }
        // An aborted root cannot even say that it is running.
        if stage.is_guarded() {
            stage.guest("systemctl is-system-running --wait; true")?;
        }
        stage.guest("mkdir -p /xvda; true")?;
        stage.write(&format!("/xvda/boot-{boot}"), 50)?;
        fate = stage.fate("xvda")?;
        healthy +=
            usize::from(fate == if stage.is_guarded() { "healthy" } else { "journal aborted" });
    }
    stage.end()?;
    Ok(format!("{fate} in {healthy} of {boots}"))
}
