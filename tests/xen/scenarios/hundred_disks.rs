//! A guest with a hundred disks, where the daemon holds its watches beside those of the kernel:
//! xenstore lets a guest have 128, and a disk that is plugged in later must still find room.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "hundred-disks",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: always("100 disks; one away: 99, and back: 100; it is read"),
    with: always("daemon running; 100 disks; one away: 99, and back: 100; it is read"),
    guard: UNCONFIGURED,
    tell,
};

const DISKS: usize = 100;
const SMALL: Host = Host { storage: Storage::Blank, ..HEALTHY };
const COUNT: &str = "# disks that can be read\nfor disk in /sys/block/xvd*; do\n\
    dd if=/dev/${disk##*/} of=/dev/null bs=4k count=1 2>/dev/null && echo\ndone | wc -l";
/// Starts the daemon in a tiny guest's memory.
pub const DAEMON: &str = "# is the daemon there\nxvdguard daemon >/run/daemon.log 2>&1 &\n\
    for look in $(seq 300); do [ -e /run/xvdguard/status.json ] && break; sleep 0.3; done\n\
    sleep 2; kill -0 $! && echo daemon running || { cat /run/daemon.log; exit 1; }";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.host(&format!(
        "# small disks\nrmmod sick_disk 2>/dev/null\n\
         insmod /modules/sick_disk.ko disks={DISKS} megabytes=1"
    ))?;
    stage.boot(&[SMALL; DISKS])?;
    let daemon = if stage.is_guarded() { stage.guest(DAEMON)? } else { String::new() };
    let mut counts = vec![stage.guest(COUNT)?];
    stage.detach(DISKS - 1)?;
    counts.push(stage.guest(COUNT)?);
    stage.attach(DISKS - 1)?;
    counts.push(stage.guest(&format!("# the disk is there\n{COUNT}"))?);
    let last = crate::order::disk_name(DISKS - 1);
    let read = stage.guest(&format!(
        "dd if=/dev/{last} of=/dev/null bs=4k count=1 2>/dev/null && echo it is read"
    ))?;
    stage.end()?;
    let [all, without, again] = [0, 1, 2].map(|place: usize| counts[place].trim().to_owned());
    let disks = format!("{all} disks; one away: {without}, and back: {again}; {}", read.trim());
    Ok(if stage.is_guarded() { format!("{}; {disks}", daemon.trim()) } else { disks })
}
