//! What two administrators have seen end in a dead root: an iSCSI target that is not heard of for
//! longer than the initiator waits, and a DRBD that loses its only disk. Once the storage is back
//! the guest reboots by itself.

use harness::failure::Result;

use super::{drbd_on_lvm, iscsi};
use crate::build::GuestKernel;
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// iSCSI.
pub const ISCSI: Story = Story {
    name: "recovery-iscsi",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: always("aborted, stays up"),
    with: always("aborted, reboots, healthy"),
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, &FROZEN),
};

/// DRBD.
pub const DRBD: Story =
    Story { name: "recovery-drbd", tell: |stage| tell(stage, &DETACHED), ..ISCSI };

struct Storage {
    make: &'static [&'static str],
    disk: crate::scenario::Host,
    fail: &'static str,
    heal: &'static str,
}

const FROZEN: Storage = Storage {
    make: &[iscsi::MAKE, "mkfs.ext3 -q -F -b 1024 /dev/sda"],
    disk: iscsi::DISK,
    fail: "ip link set lo down",
    heal: "ip link set lo up",
};

const DETACHED: Storage = Storage {
    make: &[drbd_on_lvm::MAKE],
    disk: drbd_on_lvm::DISK,
    fail: "drbdsetup detach --force 0",
    heal: "drbdadm attach bed",
};

fn tell(stage: &mut Stage, storage: &Storage) -> Result<String> {
    stage.spoil();
    for script in storage.make {
        stage.host(script)?;
    }
    stage.boot_own_root(storage.disk)?;
    let fate = stage.fails(storage.fail, 25)?;
    stage.host(storage.heal)?;
    let mut told = format!("{fate}, {}", stage.reboots()?);
    if told.ends_with("reboots") {
        stage.boot_again()?;
        told = format!("{told}, {}", stage.is_root_healthy("after")?);
    }
    stage.end()?;
    Ok(told)
}
