//! Volumes of a Debian that nobody but a person can bring back: one that its check leaves to a
//! person, one that fstab names an option for that nobody knows, one that a service keeps mounted
//! in a namespace of its own. Each is told once; systemd keeps everything else running.

use harness::failure::Result;

use super::apply_debian::ROOT as ROOT_DISK;
use super::recovery_debian::WRITERS;
use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::HEALTHY;
use crate::story::{NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-handed-over-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: NOT_TOLD,
    with: always(
        "3 aborted; /broken: its check needs a person / /data: it could not be mounted / \
         /held: somebody holds it; multi-user.target active, local-fs.target active, \
         bystander.service active, emergency.target inactive",
    ),
    guard: UNCONFIGURED,
    tell,
};

/// `/broken` is mounted twice, so that no journal brings back what the host will break. A command
/// line that names a volume would make its service one of the volume's users.
const USE: &str = r#"for disk in 'b /data' 'c /broken' 'd /held'; do
    echo "/dev/xvd$disk ext3 defaults 0 2" >>/etc/fstab
done
systemctl daemon-reload
systemctl start broken.mount
mkdir /broken/folder
umount /broken
systemctl start data.mount broken.mount held.mount
systemctl start writer@data writer@broken writer@held
systemd-run --unit bystander sleep 100000
printf '#!/bin/sh\numount /data /broken; exec sleep 100000\n' >/usr/local/sbin/hold
chmod +x /usr/local/sbin/hold
systemd-run --unit holder --property MountFlags=private /usr/local/sbin/hold
sed -i '/xvdb/s/defaults/defaults,unknown/' /etc/fstab
systemctl daemon-reload
until systemctl is-active xvdguard.service; do sleep 1; done
sleep 5
"#;

/// A folder that is none, and a super block that says that there are errors, which the journal
/// would take back: it is replayed first. e2fsck(8) -p ends with 4 then. The guest's requests wait
/// meanwhile.
const BREAK: &str = r#"# break what only a person may mend
set -e
disk=/dev/sick2
echo ok >/sys/block/sick2/data
e2fsck -p -E journal_only $disk
size=$(debugfs -R 'stats -h' $disk 2>/dev/null | sed -n 's/^Block size: *//p')
block=$(debugfs -R 'blocks /folder' $disk 2>/dev/null)
head -c $size /dev/urandom >/run/garbage
dd if=/run/garbage of=$disk bs=$size seek=${block% } count=1 conv=notrunc,fsync 2>/dev/null
debugfs -w -R 'ssv state 2' $disk 2>/dev/null
sync"#;

const ABORTED: &str = "# which journals died\n\
    dmesg | grep -o 'Aborting journal on device xvd[bcd]' | sort -u | wc -l";

const TOLD: &str = r#"# what a person is told
for look in $(seq 150); do
    [ "$(xvdguard status --json | grep -c '"health": *"given-up"')" = 3 ] && break
    sleep 2
done
sleep 5
journalctl -b -u xvdguard -o cat |
    sed -n 's/.*\(\/[a-z]*\): given-up: \([^(.]*[^(. ]\).*/\1: \2/p' | sort"#;

const UNITS: &str = "# what runs\nfor unit in multi-user.target local-fs.target bystander.service \
    emergency.target; do echo $unit $(systemctl is-active $unit); done";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK, HEALTHY, HEALTHY, HEALTHY])?;
    stage.guest("# the boot has ended\nsystemctl is-system-running --wait; true")?;
    stage.guest(&format!("{WRITERS}{USE}"))?;
    for place in 1..=3 {
        stage.data(place, "error")?;
    }
    stage.host("# errors\nsleep 15")?;
    let aborted = stage.guest(ABORTED)?;
    let domain = stage.domain().to_owned();
    stage.host(&format!("# nothing comes between\nxl pause {domain}"))?;
    stage.host(BREAK)?;
    for place in [1, 3] {
        stage.data(place, "ok")?;
    }
    stage.host(&format!("# it goes on\nxl unpause {domain}"))?;
    let told = stage.guest(TOLD)?;
    let units = stage.guest(UNITS)?;
    crate::say(&stage.guest("# what the daemon said\njournalctl -b -u xvdguard -o cat; true")?);
    stage.end()?;
    let lines = |said: &str, between| said.trim().replace('\n', between);
    Ok(format!("{} aborted; {}; {}", aborted.trim(), lines(&told, " / "), lines(&units, ", ")))
}
