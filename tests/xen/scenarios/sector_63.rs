//! LVM on DRBD, and the guest has partitioned its disk as was usual once: its first partition
//! begins at sector 63, and old DRBD cannot split what crosses its slots then. `check` names it.

use harness::failure::Result;

use super::lvm_on_drbd::{MAKE, REMOVE};
use crate::build::GuestKernel;
use crate::scenario::{HEALTHY, Host, Storage};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "sector-63",
    is_for: GuestKernel::is_bookworms,
    is_debian: false,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always("partition-off-4k xvda1"),
    guard: UNCONFIGURED,
    tell,
};

const DISK: Host = Host { storage: Storage::Made("/dev/mapper/bed-root"), ..HEALTHY };

/// One partition of type 83 in a table as DOS wrote it, and a file system in it.
const PARTITION: &str = r"# a partition at sector 63
set -e
disk=/dev/mapper/bed-root
dd if=/dev/zero of=$disk bs=512 count=63
printf '\000\001\001\000\203\376\377\377\077\000\000\000\000\360\001\000' |
    dd of=$disk bs=1 seek=446
printf '\125\252' | dd of=$disk bs=1 seek=510
mkfs.ext3 -q -F -E offset=32256 $disk 60000
";

/// The rule and the place of each finding, on lines of their own.
const FINDINGS: &str = r#"# what check says
xvdguard check --json | tr -d '\n ' | grep -o '"rule":"partition-[^}]*' |
    sed 's/"rule":"\([^"]*\)".*"where":"\([^"]*\)".*/\1 \2/'
true"#;

fn tell(stage: &mut Stage) -> Result<String> {
    stage.host(MAKE)?;
    stage.host(PARTITION)?;
    stage.boot(&[DISK])?;
    stage.guest("mkdir /xvda1 && mount -t ext3 /dev/xvda1 /xvda1")?;
    let findings = stage.guest(FINDINGS)?;
    stage.end()?;
    stage.host(REMOVE)?;
    Ok(findings.trim().replace('\n', ", "))
}
