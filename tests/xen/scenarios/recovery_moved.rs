//! A guest with the daemon moves to a backend that knows no flush, again and again: up to Linux
//! 6.10 its next commit would abort the journal, unless flushes are switched off before. Whoever
//! writes without a pause may commit first.

use harness::failure::Result;

use super::hundred_disks::DAEMON;
use crate::build::GuestKernel;
use crate::scenario::{Advertised, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// Somebody writes now and then.
pub const NOW_AND_THEN: Story = Story {
    name: "recovery-moved",
    is_for: |kernel| ["5.10", "6.1", "6.12"].contains(&kernel.name.as_str()),
    is_debian: false,
    without: MEASURED,
    with: always("healthy in 10 of 10, limits set again in 10"),
    guard: UNCONFIGURED,
    tell: |stage| tell(stage, 10, 2),
};

/// Somebody writes and syncs without a pause.
pub const WITHOUT_PAUSE: Story = Story {
    name: "recovery-moved-busy",
    is_for: GuestKernel::is_bookworms,
    with: MEASURED,
    // Each move of such a guest takes minutes.
    tell: |stage| tell(stage, 4, 0),
    ..NOW_AND_THEN
};

/// No number is right.
const MEASURED: Told = always("measured");

fn tell(stage: &mut Stage, moves: u32, pause_s: u32) -> Result<String> {
    begin(stage, pause_s)?;
    let (mut healthy, mut limited) = (0, 0);
    for round in 0..moves {
        stage.move_to(Advertised::Nothing)?;
        stage.host("# a commit or two\nsleep 12")?;
        let limit = stage.guest("cat /sys/block/xvda/queue/max_sectors_kb")?;
        limited += u32::from(limit.trim() == "16");
        let is_healthy = stage.fate("xvda")? == "healthy";
        healthy += u32::from(is_healthy);
        if round + 1 == moves {
            break;
        }
        match is_healthy {
            true => back(stage)?,
            false => {
                stage.end()?;
                begin(stage, pause_s)?;
            }
        }
    }
    stage.end()?;
    let limits = format!(", limits set again in {limited}");
    let limits = if stage.is_guarded() { limits } else { String::new() };
    let measured = if stage.is_guarded() && pause_s > 0 { "" } else { "measured: " };
    Ok(format!("{measured}healthy in {healthy} of {moves}{limits}"))
}

/// Back to a backend that knows flushes, and they are sent again.
fn back(stage: &mut Stage) -> Result<()> {
    stage.move_to(Advertised::FlushAndBarrier)?;
    stage.guest("sleep 3; echo write back >/sys/block/xvda/queue/write_cache").map(drop)
}

fn begin(stage: &mut Stage, pause_s: u32) -> Result<()> {
    stage.boot(&[HEALTHY])?;
    stage.guest(
        "mkdir /xvda && mount -t ext3 /dev/xvda /xvda && mkdir -p /etc/xvdguard\n\
         echo 16 >/sys/block/xvda/queue/max_sectors_kb\n\
         printf '[[queue]]\\nmatch = \"xvda\"\\nmax_sectors_kb = 16\\n' \
         >/etc/xvdguard/config.toml",
    )?;
    if stage.is_guarded() {
        stage.guest(DAEMON)?;
    }
    let writer = format!(
        "# somebody writes\n(while rm -f /xvda/written-0\n\
         /init write /xvda/written 1 | grep -q ^1; do sleep {pause_s}; done) >/dev/null 2>&1 &"
    );
    stage.guest(&writer).map(drop)
}
