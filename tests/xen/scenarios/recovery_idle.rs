//! Writes fail for five seconds while what was committed still waits to be written to its place,
//! and somebody else meets the errors: a volume that would have lived lives with the daemon too,
//! and flushes are sent again afterwards. A disk that did not fail is flushed all the time.

use harness::failure::Result;

use super::hundred_disks::DAEMON;
use crate::build::GuestKernel;
use crate::scenario::HEALTHY;
use crate::story::{MOUNT_ALL, Stage, Story, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "recovery-idle",
    is_for: GuestKernel::any,
    is_debian: false,
    without: always("healthy, flushed; the other: healthy, flushed meanwhile"),
    with: always("healthy, flushed; the other: healthy, flushed meanwhile"),
    guard: UNCONFIGURED,
    tell,
};

/// Its last block is not in use by the file system's journal, inodes or files.
const MEET: &str = "# somebody meets the errors\n\
    dd if=/dev/zero of=/dev/xvda bs=512 seek=16383 count=1 conv=notrunc oflag=direct 2>&1; true";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.boot(&[HEALTHY, HEALTHY])?;
    stage.guest(MOUNT_ALL)?;
    if stage.is_guarded() {
        stage.guest(DAEMON)?;
    }
    stage.write("/xvda/before", 50)?;
    stage.data(0, "write-error")?;
    stage.guest(MEET)?;
    let before = stage.count_flushes(1)?;
    stage.write("/xvdb/meanwhile", 5)?;
    let other = if stage.count_flushes(1)? > before { "flushed" } else { "not flushed" };
    stage.host("# let time pass\nsleep 5")?;
    stage.data(0, "ok")?;
    stage.host("# until all is written back\nsleep 60")?;
    let before = stage.count_flushes(0)?;
    stage.write("/xvda/after", 5)?;
    let flushed = if stage.count_flushes(0)? > before { "flushed" } else { "not flushed" };
    let (fate, other_fate) = (stage.fate("xvda")?, stage.fate("xvdb")?);
    stage.end()?;
    Ok(format!("{fate}, {flushed}; the other: {other_fate}, {other} meanwhile"))
}
