//! The storage of a Debian answers with errors for 15 s, and the daemon brings back what died of
//! it: a data volume that a service writes to, and root, by a reboot.

use harness::failure::Result;

use super::apply_debian::ROOT as ROOT_DISK;
use super::usr_debian::{EMPTY, onto_its_own};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::order::System;
use crate::scenario::HEALTHY;
use crate::story::{BOOTED, NOT_TOLD, Stage, Story, UNCONFIGURED, always};

/// A data volume.
pub const DATA: Story = Story {
    name: "recovery-data-debian",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: always("aborted; writer active, cannot be written"),
    with: always("aborted; writer active, writable"),
    guard: UNCONFIGURED,
    tell: data,
};

/// Root.
pub const ROOT: Story = Story {
    name: "recovery-root-debian",
    without: always("aborted, stays up"),
    with: always(
        "15 s: aborted, reboots; running, writable; 3 min, with a service that ignores SIGTERM: \
         aborted, reboots; running, writable",
    ),
    tell: root,
    ..DATA
};

/// The same with each other systemd, and with none.
pub const ELSEWHERE: [(Kind, Story); 3] = [
    (
        Kind { suite: "bullseye", ..USUAL },
        Story { name: "recovery-root-bullseye", is_for: GuestKernel::is_bullseyes, ..GUARDED },
    ),
    (Kind { init: "sysvinit-core", ..USUAL }, Story { name: "recovery-root-sysvinit", ..GUARDED }),
    (
        Kind { suite: "trixie", ..USUAL },
        Story { name: "recovery-root-trixie", is_for: GuestKernel::is_trixies, ..GUARDED },
    ),
];

const GUARDED: Story = Story { without: NOT_TOLD, ..ROOT };

/// What lies on a disk of its own and cannot be unmounted either.
pub const VAR: Story = Story {
    name: "recovery-var-debian",
    with: always("aborted, reboots; running, writable"),
    tell: |stage| own_disk(stage, "/var"),
    ..ROOT
};

/// The same, and the image mounts it.
pub const USR: Story =
    Story { name: "recovery-usr-debian", tell: |stage| own_disk(stage, "/usr"), ..VAR };

/// Where a volume lies.
struct Lies {
    place: usize,
    disk: &'static str,
    /// Below this, which ends without a slash.
    at: &'static str,
}

const ON_ROOT: Lies = Lies { place: 0, disk: "xvda", at: "" };

/// What is said of a guest that nobody reboots: a dead one answers no more questions.
const STAYS_UP: &str = "stays up";

/// A service for each volume, which writes new files to it.
pub const WRITERS: &str = r#"# services that write
set -e
cat >/etc/systemd/system/writer@.service <<'END'
[Unit]
RequiresMountsFor=/%i
[Service]
ExecStart=/bin/sh -c 'while :; do n=$$((n+1)); date >/%i/new-$$n; sync -f /%i; sleep 1; done'
END
"#;

const USE_DATA: &str = "echo '/dev/xvdb /data ext3 defaults 0 2' >>/etc/fstab\n\
    systemctl daemon-reload\nsystemctl start data.mount writer@data";

/// What is soon enough here is the budget of the story: a settle time, a check, a mount.
const BACK: &str = "# is the volume back\nfor look in $(seq 200); do\n\
    echo new >/data/back-$look && break; sleep 0.3; done 2>/dev/null\n\
    [ \"$look\" = 200 ] && back='cannot be written' || back=writable\n\
    sleep 2; echo \"writer $(systemctl is-active writer@data), $back\"";

fn data(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK, HEALTHY])?;
    stage.guest("# the boot has ended\nsystemctl is-system-running --wait; true")?;
    stage.guest(&format!("{WRITERS}{USE_DATA}"))?;
    listen(stage, "xvdb")?;
    let aborted = errors(stage, 1, 15)?;
    let back = stage.guest(BACK)?;
    crate::say(&stage.guest("# what the daemon said\njournalctl -b -u xvdguard -o cat; true")?);
    stage.end()?;
    Ok(format!("{aborted}; {}", back.trim()))
}

/// Has somebody wait for the abort: the complaints of journald push the line out of the kernel's
/// ring. The agent's own grep is in memory, which root, when it is dead, cannot take away.
fn listen(stage: &mut Stage, disk: &str) -> Result<()> {
    let line = format!("Aborting journal on device {disk}");
    stage.guest(&format!("# listen\ngrep -m 1 '{line}' /dev/kmsg >/run/aborted 2>/dev/null &"))?;
    Ok(())
}

/// Errors for so long; whether the journal died of them.
fn errors(stage: &mut Stage, place: usize, seconds: u32) -> Result<String> {
    stage.data(place, "error")?;
    stage.host(&format!("# errors\nsleep {seconds}"))?;
    let aborted = stage.guest("[ -s /run/aborted ] && echo aborted || echo not aborted")?;
    stage.data(place, "ok")?;
    Ok(aborted.trim().to_owned())
}

/// A guest that has just been booted may be rebooted, at once and often; what the keeper and the
/// daemon warn of goes to the console, which outlives the reboot.
const IMPATIENT: &str = "# configure\nprintf '[reboot]\\nminimum_uptime = \"1min\"\\n\
    settle = \"5s\"\\njitter = \"0s\"\\nat_most = 9\\n' >/etc/xvdguard/config.d/bed.toml\n\
    xvdguard config check && if command -v systemctl; then systemctl reload xvdguard; else \
    service xvdguard reload; fi; sync; true";

/// A service that no shutdown ends but by force.
const STUBBORN: &str = "# a service that ignores SIGTERM\n\
    run=; ! command -v systemctl || run='systemd-run --unit stubborn -p TimeoutStopSec=20'\n\
    $run /bin/sh -c 'trap \"\" TERM; exec sleep 100000' >/dev/null 2>&1 &";

fn root(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK])?;
    ready(stage)?;
    if !stage.is_guarded() {
        let what = act(stage, &ON_ROOT, 15, "")?;
        stage.end()?;
        return Ok(what);
    }
    stage.guest(IMPATIENT)?;
    // It trusts no record that it never saw last.
    stage.reboot()?;
    let mut told = Vec::new();
    let acts = [("15 s", 15, ""), ("3 min, with a service that ignores SIGTERM", 180, STUBBORN)];
    for (name, seconds, before) in acts {
        ready(stage)?;
        let what = act(stage, &ON_ROOT, seconds, before)?;
        told.push(format!("{name}: {what}"));
        if what.ends_with(STAYS_UP) {
            break;
        }
    }
    stage.end()?;
    Ok(told.join("; "))
}

fn own_disk(stage: &mut Stage, at: &'static str) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT_DISK, EMPTY])?;
    ready(stage)?;
    if stage.is_guarded() {
        stage.guest(IMPATIENT)?;
    }
    stage.guest(&onto_its_own(at))?;
    stage.reboot()?;
    ready(stage)?;
    let what = act(stage, &Lies { place: 1, disk: "xvdb", at }, 15, "")?;
    stage.end()?;
    Ok(what)
}

/// The boot has ended, and the daemon has it on record.
fn ready(stage: &mut Stage) -> Result<()> {
    stage.guest(BOOTED)?;
    stage.guest("# what matters goes to the console\ndmesg -n 5")?;
    if stage.is_guarded() {
        stage.guest(
            "# the record of this boot\nuntil grep -q $(cat /proc/sys/kernel/random/boot_id) \
             /var/lib/xvdguard/boots; do sleep 0.3; done",
        )?;
    }
    Ok(())
}

/// How soon a boot has checked its root, with much to spare.
const CHECKED_SECONDS: u32 = 40;

/// Errors for so long, with nothing of any disk in memory; what came of it.
fn act(stage: &mut Stage, lies: &Lies, seconds: u32, before: &str) -> Result<String> {
    let at = lies.at;
    listen(stage, lies.disk)?;
    stage.guest(&format!(
        "{before}\nsync; echo 3 >/proc/sys/vm/drop_caches\n\
         (sleep 2; echo new >{at}/new; exec sync) >/dev/null 2>&1 &"
    ))?;
    let aborted = errors(stage, lies.place, seconds)?;
    let is_down = stage.is_down(if stage.is_guarded() { 600 } else { 60 })?;
    crate::say(&stage.console()?);
    if !is_down {
        return Ok(format!("{aborted}, {STAYS_UP}"));
    }
    stage.reborn()?;
    // Where the image has no fsck, systemd checks a root that is mounted, and where that mended
    // something it asks for one more reboot (systemd-fsck(8)).
    if stage.is_down(CHECKED_SECONDS)? {
        stage.reborn()?;
    }
    let up = stage.guest(BOOTED)?;
    let back = stage.guest(&format!(
        "# is it back\necho new >{at}/after-all && sync && echo writable || echo cannot be written"
    ))?;
    Ok(format!("{aborted}, reboots; {}, {}", up.trim(), back.trim()))
}
