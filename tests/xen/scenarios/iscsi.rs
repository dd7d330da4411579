//! The backend's disk is on iSCSI, and the target is not heard of for longer than the initiator
//! waits: what was a stall becomes errors, and the journal is dead when the target is back. What
//! the initiator waits out does nothing.

use harness::failure::Result;

use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "iscsi",
    is_for: |kernel| ["6.1", "6.12"].contains(&kernel.name.as_str()),
    is_debian: false,
    without: always("frozen for 2 s: healthy, frozen for 25 s: journal aborted"),
    with: always("frozen for 2 s: healthy, frozen for 25 s: journal aborted"),
    guard: UNCONFIGURED,
    tell,
};

/// The initiator's disk.
pub const DISK: Host = Host { storage: Storage::Made("/dev/sda"), ..HEALTHY };

/// The kernel's own target on a sick disk, and the initiator, which gives up after 5 s.
pub const MAKE: &str = r#"# a disk on iSCSI
set -e
insmod /modules/sick_disk.ko disks=1 megabytes=32
dd if=/bed/disk.ext3 of=/dev/sick0 bs=1M conv=fsync
[ -d /sys/kernel/config/target ] || mount -t configfs configfs /sys/kernel/config
core=/sys/kernel/config/target/core/iblock_0/bed
mkdir -p $core
echo udev_path=/dev/sick0 >$core/control
echo 1 >$core/enable
group=/sys/kernel/config/target/iscsi/iqn.2000-01.test:bed/tpgt_1
mkdir -p $group/lun/lun_0 $group/np/127.0.0.1:3260
ln -s $core $group/lun/lun_0/bed
echo 0 >$group/attrib/authentication
echo 0 >$group/attrib/demo_mode_write_protect
echo 1 >$group/attrib/cache_dynamic_acls
echo 1 >$group/attrib/generate_node_acls
echo 1 >$group/enable
mkdir -p /etc/iscsi /run/lock/iscsi
echo InitiatorName=iqn.2000-01.test:host >/etc/iscsi/initiatorname.iscsi
iscsid
iscsiadm -m discovery -t st -p 127.0.0.1
set_to() { iscsiadm -m node -o update -n "node.$1" -v "$2"; }
set_to session.timeo.replacement_timeout 5
set_to 'conn[0].timeo.noop_out_interval' 2
set_to 'conn[0].timeo.noop_out_timeout' 2
iscsiadm -m node --login
until [ -b /dev/sda ]; do sleep 0.2; done
"#;

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.host(MAKE)?;
    stage.boot(&[DISK])?;
    stage.guest("mkdir /xvda && mount -t ext3 /dev/xvda /xvda")?;
    stage.write("/xvda/before", 20)?;
    let mut told = Vec::new();
    for seconds in [2, 25] {
        stage.host("ip link set lo down")?;
        let writes = format!("/init write /xvda/frozen-{seconds} 20");
        stage.begin(&writes)?;
        stage.host(&format!("sleep {seconds}; ip link set lo up"))?;
        stage.finish(&writes)?;
        stage.host(
            "# the disk answers again\nfor look in $(seq 100); do\n\
             dd if=/dev/sda of=/dev/null bs=4k count=1 iflag=direct && exit\n\
             sleep 0.5; done; exit 1",
        )?;
        told.push(format!("frozen for {seconds} s: {}", stage.fate("xvda")?));
    }
    stage.end()?;
    Ok(told.join(", "))
}
