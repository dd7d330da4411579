//! The storage of a Debian answers with errors for 15 s, and the daemon brings back what died of
//! it: a data volume that a service writes to, and root, by a reboot.

use harness::failure::Result;

use super::apply_debian::ROOT as ROOT_DISK;
use crate::build::GuestKernel;
use crate::order::System;
use crate::scenario::HEALTHY;
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// A data volume.
pub const DATA: Story = Story {
    name: "recovery-data-debian",
    is_for: is_debians,
    is_debian: true,
    without: always("aborted; writer active, cannot be written"),
    with: always("aborted; writer active, writable"),
    guard: UNCONFIGURED,
    tell: data,
};

/// Root.
pub const ROOT: Story = Story {
    name: "recovery-root-debian",
    without: always("aborted; stays up, cannot be written"),
    with: always("aborted; reboots by itself, writable"),
    tell: root,
    ..DATA
};

fn is_debians(kernel: &GuestKernel) -> bool {
    kernel.name == "6.1"
}

const WRITER: &str = r#"# a service that writes
set -e
echo '/dev/xvdb /data ext3 defaults 0 2' >>/etc/fstab
cat >/etc/systemd/system/writer.service <<'END'
[Unit]
RequiresMountsFor=/data
[Service]
ExecStart=/bin/sh -c 'while :; do date >/data/written; sync -f /data; sleep 1; done'
END
systemctl daemon-reload
systemctl start data.mount writer.service
systemctl is-active xvdguard.service || true
"#;

/// What is soon enough here is the budget of the story: a settle time, a check, a mount.
const BACK: &str = "# is the volume back\nfor look in $(seq 200); do\n\
    echo new >/data/new-$look && break; sleep 0.3; done 2>/dev/null\n\
    [ \"$look\" = 200 ] && back='cannot be written' || back=writable\n\
    sleep 2; echo \"writer $(systemctl is-active writer.service), $back\"";

fn data(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK, HEALTHY])?;
    stage.guest("# the boot has ended\nsystemctl is-system-running --wait; true")?;
    stage.guest(WRITER)?;
    let aborted = errors(stage, 1, "xvdb")?;
    let back = stage.guest(BACK)?;
    crate::say(&stage.guest("# what the daemon said\njournalctl -b -u xvdguard -o cat; true")?);
    stage.end()?;
    Ok(format!("{aborted}; {}", back.trim()))
}

/// Errors for 15 s; whether the journal died of them.
fn errors(stage: &mut Stage, place: usize, disk: &str) -> Result<String> {
    stage.data(place, "error")?;
    stage.host("# errors\nsleep 15")?;
    let aborted = stage.guest(&format!(
        "dmesg | grep -q 'Aborting journal on device {disk}' && echo aborted || echo not aborted"
    ))?;
    stage.data(place, "ok")?;
    Ok(aborted.trim().to_owned())
}

/// A guest that has just been booted may be rebooted, at once.
const IMPATIENT: &str = "# configure\nprintf '[reboot]\\nminimum_uptime = \"1min\"\\n\
    settle = \"5s\"\\njitter = \"0s\"\\n' >/etc/xvdguard/config.d/bed.toml\n\
    xvdguard config check && systemctl reload xvdguard; sync; true";

fn root(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK])?;
    stage.guest("# the boot has ended\nsystemctl is-system-running --wait; true")?;
    stage.guest(IMPATIENT)?;
    stage.begin("echo new >/new; sync")?;
    let aborted = errors(stage, 0, "xvda")?;
    // With it, longer than an orderly shutdown may take; without it nothing is expected.
    let has_rebooted = stage.is_down(if stage.is_guarded() { 1500 } else { 100 })?;
    let what = if has_rebooted {
        stage.reborn()?;
        "reboots by itself"
    } else {
        "stays up"
    };
    let back = stage.guest(
        "# is root back\necho new >/after-all && sync && echo writable || echo cannot be written",
    )?;
    if has_rebooted {
        crate::say(&stage.guest("# what the daemon said\njournalctl -u xvdguard -o cat; true")?);
    }
    stage.end()?;
    Ok(format!("{aborted}; {what}, {}", back.lines().last().unwrap_or_default()))
}
