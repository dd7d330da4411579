//! An ext3 root on LVM on DRBD, whose backend advertises barriers that are then refused: what
//! DRBD 8.3 did itself the sick disk does on top of a DRBD of today. Twenty boots, each ended as by
//! a power failure.

use harness::failure::Result;

use crate::build::GuestKernel;
use crate::scenario::{Advertised, Flushes, HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "lvm-on-drbd",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: always("journal aborted in 3 boots of 3"),
    with: always("healthy in 20 boots of 20"),
    guard: UNCONFIGURED,
    tell,
};

const ROOT: Host = Host {
    storage: Storage::Made("/dev/mapper/bed-root"),
    advertises: Advertised::OnlyBarrier,
    ..HEALTHY
};

/// A file, a loop device, DRBD without its peer, the sick disk, and LVM.
pub const MAKE: &str = r#"# LVM on a sick disk on DRBD
set -e
hostname dom0
truncate -s 96M /run/drbd.img
losetup /dev/loop0 /run/drbd.img
mkdir -p /etc/drbd.d /var/lib/drbd /run/drbd
echo 'global { usage-count no; }
resource bed {
  device /dev/drbd0; disk /dev/loop0; meta-disk internal;
  on dom0 { address 127.0.0.1:7789; }
  on peer { address 127.0.0.1:7790; }
}' >/etc/drbd.conf
drbdadm create-md --force bed
drbdadm up bed
drbdadm primary --force bed
rmmod sick_disk 2>/dev/null || true
insmod /modules/sick_disk.ko disks=1 over=/dev/drbd0
lvm pvcreate /dev/sick0
lvm vgcreate bed /dev/sick0
lvm lvcreate -y -W n -Z n -n root -L 64M bed
lvm vgmknodes
mkfs.ext3 -q -F /dev/mapper/bed-root
"#;

/// And what takes it apart.
pub const REMOVE: &str = "# take it apart\nset -e\ndmsetup remove bed-root\nrmmod sick_disk\n\
                      drbdadm down bed\nlosetup -d /dev/loop0\nrm -r /run/drbd.img /dev/bed";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE)?;
    stage.flushes(0, Flushes::Refused)?;
    let boots = if stage.is_guarded() { 20 } else { 3 };
    let mut fates: Vec<String> = Vec::new();
    for _ in 0..boots {
        fates.push(boot(stage)?);
    }
    stage.host(REMOVE)?;
    let first = fates[0].clone();
    let alike = fates.iter().filter(|fate| **fate == first).count();
    Ok(format!("{first} in {alike} boots of {boots}"))
}

fn boot(stage: &mut Stage) -> Result<String> {
    stage.boot(&[ROOT])?;
    stage.guest(
        "mkdir /xvda && mount -t ext3 -o ro /dev/xvda /xvda && mount -o remount,rw /xvda\n\
         rm -f /xvda/boot*; true",
    )?;
    stage.write("/xvda/boot", 50)?;
    let fate = stage.fate("xvda")?;
    stage.end()?;
    // A file system that was cut off needs its journal, and nothing else.
    let code = stage.host("# check root\ne2fsck -p /dev/mapper/bed-root >/dev/null; echo $?")?;
    let is_clean = ["0", "1"].contains(&code.trim_end());
    Ok(if is_clean { fate } else { format!("{fate}, e2fsck {}", code.trim_end()) })
}
