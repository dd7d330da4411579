//! A disk is taken away and comes back on a backend that refuses flushes, as udev sees it: the disk
//! is probed when it appears, before systemd hears of it, and nothing that was known of the disk
//! before holds any more; the limit of the configuration is set again.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::{Flushes, HEALTHY};
use crate::story::{Stage, Story, Told, UNCONFIGURED, always};

/// The story.
pub const STORY: Story = Story {
    name: "disk-back-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always(
        "proven,proven; away: proven; back: proven,refused, limit 4, healthy; \
         with a flush that never ends: there in time",
    ),
    guard: UNCONFIGURED,
    tell,
};

const CONFIGURE: &str = "# a limit\nprintf '[[queue]]\\nmatch = \"xvdb\"\\nmax_sectors_kb = 4\\n' \
    >/etc/xvdguard/config.d/drbd.toml && systemctl reload xvdguard";

/// What the rule gives the probe, and a second because the guest is emulated.
const LATER_AT_MOST_MS: u64 = 3_000 + 1_000;

/// When systemd had the unit, and when the kernel had the disk: microseconds since boot.
const APPEARED: &str = r#"# how late systemd hears of the disk
for look in $(seq 60); do
    unit=$(systemctl show --value -p ActiveEnterTimestampMonotonic dev-xvdb.device)
    [ "$unit" -gt "$(cat /run/bed-before)" ] && break; sleep 0.3
done
kernel=$(dmesg | sed -n 's/^\[ *\([0-9]*\)\.\([0-9]*\)\] blkfront: xvdb: .*/\1\2/p' | tail -n 1)
echo "$unit $kernel""#;

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT, HEALTHY])?;
    let before = stage.guest(VERDICTS)?;
    stage.guest(CONFIGURE)?;
    stage.detach(1)?;
    let away = stage.guest(&format!("udevadm settle\n{VERDICTS}"))?;
    stage.flushes(1, Flushes::Refused)?;
    stage.attach(1)?;
    stage
        .guest("# the disk is there\nuntil [ -e /dev/xvdb ]; do sleep 0.3; done; udevadm settle")?;
    let back = stage.guest(VERDICTS)?;
    let limit = stage.guest("cat /sys/block/xvdb/queue/max_sectors_kb")?;
    stage.guest("mkdir -p /xvdb && mount -t ext3 /dev/xvdb /xvdb")?;
    stage.write("/xvdb/synced", 20)?;
    let fate = stage.fate("xvdb")?;
    let appeared = silent(stage)?;
    stage.end()?;
    let [before, away, back, limit] =
        [before, away, back, limit].map(|said| said.trim().to_owned());
    let silent = match later_ms(&appeared) {
        Some(ms) if ms <= LATER_AT_MOST_MS => format!("there in time: {ms} ms"),
        _ => format!("there late, or never: {appeared}"),
    };
    Ok(format!(
        "{before}; away: {away}; back: {back}, limit {limit}, {fate}; with a flush that never \
         ends: {silent}"
    ))
}

fn later_ms(appeared: &str) -> Option<u64> {
    let (unit, kernel) = appeared.split_once(' ')?;
    unit.parse::<u64>().ok()?.checked_sub(kernel.parse().ok()?).map(|later_us| later_us / 1000)
}

/// Once more, and the probe's flush stalls.
fn silent(stage: &mut Stage) -> Result<String> {
    stage.guest("umount /xvdb; read now _ </proc/uptime; echo ${now%.*}000000 >/run/bed-before")?;
    stage.detach(1)?;
    stage.host("# the flush stalls\necho stalled >/sys/block/sick1/flush")?;
    stage.attach(1)?;
    let later = stage.guest(APPEARED)?;
    stage.host("# and ends\necho ok >/sys/block/sick1/flush")?;
    Ok(later.trim().to_owned())
}
