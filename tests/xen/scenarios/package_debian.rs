//! The life of the package in a Debian guest whose data disk, which fstab names, refuses barriers
//! behind the device-mapper: a boot before it, installed while the guest runs, a boot with the
//! image that this has made, and one with the image that its removal has made.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::build::debian::{Brought, Kind, USUAL};
use crate::order::System;
use crate::scenario::{Advertised, Flushes, HEALTHY, Host, Storage};
use crate::story::{BOOTED, Stage, Story, Told, UNCONFIGURED, always};

/// Each with its guest.
pub const STORIES: [(Kind, Story); 5] = [
    (BOOKWORM, Story { name: "package-bookworm-initramfs-tools", ..ABORTS }),
    (
        Kind { maker: "dracut", ..BOOKWORM },
        Story { name: "package-bookworm-dracut", tell: tell_with_built, ..ABORTS },
    ),
    (
        Kind { suite: "trixie", maker: "dracut", ..BOOKWORM },
        Story {
            name: "package-trixie-dracut",
            is_for: GuestKernel::is_trixies,
            with: always(LOSES_FLUSHES),
            tell: tell_with_built,
            ..ABORTS
        },
    ),
    (
        Kind { init: "sysvinit-core", ..BOOKWORM },
        Story { name: "package-bookworm-sysvinit", ..ABORTS },
    ),
    // Whose image has no systemd either.
    (
        Kind { init: "sysvinit-core", maker: "dracut", ..BOOKWORM },
        Story { name: "package-bookworm-dracut-sysvinit", tell: tell_with_built, ..ABORTS },
    ),
];

const BOOKWORM: Kind = Kind { brought: Brought::AsPackage, ..USUAL };

/// A kernel whose journal aborts: the daemon keeps in fstab what early boot has found.
const ABORTS: Story = Story {
    name: "",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: Told { up_to_6_10: "", from_6_11: "" },
    with: always(
        "before: data: journal aborted, limits 128 128 before root; \
         installed: disks asked, daemon active, fstab as before; \
         booted: data: healthy, limits 64 64 before root; proven,refused; \
         early boot in the image, daemon active; \
         fstab: /dev/xvdb /data ext3 defaults,barrier=0 0 0; \
         upgraded: daemon active, anew, fstab: /dev/xvdb /data ext3 defaults,barrier=0 0 0; \
         removed: fstab as before, nothing left; \
         booted: data: journal aborted, limits 128 128 before root",
    ),
    guard: UNCONFIGURED,
    tell,
};
/// One whose journal does not, from Linux 6.11: nothing to be kept.
const LOSES_FLUSHES: &str = "before: data: healthy, limits 128 128 before root; \
    installed: disks asked, daemon active, fstab as before; \
    booted: data: healthy, limits 64 64 before root; proven,refused; \
    early boot in the image, daemon active; fstab as before; \
    upgraded: daemon active, anew, fstab as before; \
    removed: fstab as before, nothing left; \
    booted: data: healthy, limits 128 128 before root";

const DATA: Host = Host {
    storage: Storage::DeviceMapper,
    advertises: Advertised::OnlyBarrier,
    flushes: Flushes::Refused,
    ..HEALTHY
};

/// Writes to data; what became of it and of the limits that both disks had before root was mounted.
const FATE: &str = r#"# what became of data
for number in $(seq 50); do echo new | dd of=/data/new-$number conv=fsync; done 2>/dev/null
fate=healthy
grep -q ' /data ext3 ' /proc/mounts || fate='not mounted'
dmesg | grep -q 'Aborting journal on device xvdb' && fate='journal aborted'
echo "data: $fate, limits $(cat /run/bed-limits || echo not seen) before root"
"#;

/// With a configuration, and what dpkg is told.
const CONFIGURE: &str = concat!(
    "# install the package\numount /data; cp /etc/fstab /root/fstab\n",
    include_str!("../debian/limit")
);

/// `/run` was empty before, and the installation is all that runs `probe`.
const ASKED: &str = "# did the installation ask the disks\n\
    if [ -e /run/xvdguard/probe.json ]; then echo disks asked; else echo disks not asked; fi";

const DAEMON: &str = r#"# is the daemon active
if command -v systemctl >/dev/null; then systemctl is-active xvdguard.service || true
else
    /etc/init.d/xvdguard status >/dev/null && echo active || echo not active
    first=$(ls /etc/rcS.d | grep -o 'xvdguard-early\|checkroot.sh' | head -n 1)
    [ "$first" = xvdguard-early ] || echo 'but the second chance comes after checkroot'
fi"#;

/// The daemon and its keeper, and whether they are others by now, and as many.
const PROCESSES: &str = "# which daemon\npidof xvdguard >/run/bed-daemon";
const ANEW: &str = "# is it another\nbefore=$(cat /run/bed-daemon); now=$(pidof xvdguard)\n\
    both=$(echo $before $now | tr ' ' '\\n' | sort | uniq -d)\n\
    if [ -z \"$both\" ] && [ $(echo $now | wc -w) = $(echo $before | wc -w) ]; then echo anew\n\
    else echo \"was $before, is $now\"; fi";

const EARLY: &str = "# who ran early boot\n\
    if [ -e /run/xvdguard/early.json ] && [ ! -e /run/xvdguard/second-chance ]; then\n\
    echo early boot in the image; else echo not in the image; fi";

/// What differs from fstab as it was; of lines that it has, those that are new.
const FSTAB: &str = r#"# fstab
if cmp -s /root/fstab /etc/fstab; then echo 'fstab as before'
else echo "fstab: $(grep -vxFf /root/fstab /etc/fstab | grep -v '^#')"; fi"#;

/// Longer than the daemon waits with a good boot and looks again.
const WAIT: &str = "# a good boot\n\
    for look in $(seq 50); do cmp -s /root/fstab /etc/fstab || break; sleep 3; done";

const LEFT: &str = r#"# what is left of it
ls -d /usr/sbin/xvdguard /usr/lib/xvdguard /usr/lib/udev/rules.d/60-xvdguard.rules 2>/dev/null
pidof xvdguard xvdguard-early; lsinitramfs /boot/initrd.img-* 2>/dev/null | grep xvdguard
echo 'nothing left'"#;

/// Data as it was made first, while nobody has it.
const FRESH: &str = "# a fresh data disk\nset -e\necho ok >/sys/block/sick1/flush\n\
    dd if=/bed/disk.ext3 of=/dev/sick1 bs=1M conv=fsync 2>/dev/null\n\
    echo refused >/sys/block/sick1/flush";

/// Who makes the images of a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Images {
    /// The guest itself, when the package is installed and removed.
    OfItself,
    /// The same package in the same system, when the bed was built: where that takes too long.
    Built,
}

impl Images {
    /// dpkg, with whatever it says.
    fn dpkg(self, words: &str) -> String {
        let triggers = if self == Images::Built { "--no-triggers" } else { "" };
        format!("DEBIAN_FRONTEND=noninteractive /usr/bin/dpkg {triggers} {words} 2>&1 </dev/null")
    }

    /// Shuts the guest down in order and boots it again, with the image that it should have by now.
    fn boot_again(self, stage: &mut Stage, built: System) -> Result<()> {
        stage.shut_down()?;
        stage.host(FRESH)?;
        match self {
            Images::OfItself => stage.reborn_by_itself(),
            Images::Built => stage.reborn_as(built),
        }
    }
}

fn fate(stage: &mut Stage) -> Result<String> {
    stage.guest(BOOTED)?;
    said(stage, FATE)
}

fn said(stage: &mut Stage, script: &str) -> Result<String> {
    Ok(stage.guest(script)?.trim().replace('\n', " / "))
}

fn tell(stage: &mut Stage) -> Result<String> {
    live(stage, Images::OfItself)
}

fn tell_with_built(stage: &mut Stage) -> Result<String> {
    live(stage, Images::Built)
}

fn live(stage: &mut Stage, images: Images) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::DebianWithoutHook, &[ROOT, DATA])?;
    let before = fate(stage)?;
    let install = images.dpkg("-i /root/lower.deb");
    crate::say(&stage.guest(&format!("{CONFIGURE}{install}"))?);
    let (asked, installed) = (said(stage, ASKED)?, said(stage, DAEMON)?);
    stage.guest("# longer than a good boot must be\nsleep 100")?;
    let unwritten = said(stage, FSTAB)?;
    crate::say(&stage.guest("xvdguard status; true")?);
    images.boot_again(stage, System::Debian)?;
    let booted = guarded(stage)?;
    let upgrade = images.dpkg("-i /root/xvdguard.deb");
    stage.guest(PROCESSES)?;
    crate::say(&stage.guest(&format!("# upgrade it\n{upgrade}"))?);
    let upgraded =
        format!("daemon {}, {}, {}", said(stage, DAEMON)?, said(stage, ANEW)?, said(stage, FSTAB)?);
    let remove = images.dpkg("-r xvdguard");
    crate::say(&stage.guest(&format!("# remove it\nxvdguard revert\n{remove}"))?);
    let (removed, left) = (said(stage, FSTAB)?, said(stage, LEFT)?);
    images.boot_again(stage, System::DebianWithoutHook)?;
    let after = fate(stage)?;
    stage.end()?;
    Ok(format!(
        "before: {before}; installed: {asked}, daemon {installed}, {unwritten}; booted: {booted}; \
         upgraded: {upgraded}; removed: {removed}, {left}; booted: {after}"
    ))
}

/// What a boot with xvdguard comes to, until it is long enough to be called good.
fn guarded(stage: &mut Stage) -> Result<String> {
    let data = fate(stage)?;
    let verdicts = said(stage, VERDICTS)?;
    let early = said(stage, EARLY)?;
    let daemon = said(stage, DAEMON)?;
    stage.guest(WAIT)?;
    let fstab = said(stage, FSTAB)?;
    crate::say(&stage.guest("dmesg | grep -E 'xvdguard|bed:|xvd[ab]'; xvdguard status; true")?);
    Ok(format!("{data}; {verdicts}; {early}, daemon {daemon}; {fstab}"))
}
