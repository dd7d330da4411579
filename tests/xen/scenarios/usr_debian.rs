//! A Debian whose /usr lies on a disk of its own, which refuses flushes: the image mounts it beside
//! root, and it is probed before that.

use harness::failure::Result;

use super::apply_debian::{ROOT, VERDICTS};
use crate::build::GuestKernel;
use crate::build::debian::{Kind, USUAL};
use crate::order::System;
use crate::scenario::{Advertised, Flushes, HEALTHY, Host, Storage};
use crate::story::{Stage, Story, UNCONFIGURED, always};

/// With each maker of images.
pub const STORIES: [(Kind, Story); 2] = [
    (USUAL, Story { name: "usr-initramfs-tools", ..STORY }),
    (
        Kind { maker: "dracut", ..USUAL },
        // Its image checks /usr before it is mounted: what is refused is that flush, alone.
        Story {
            name: "usr-dracut",
            without: always("usr of xvdb, mounted by the image, writable"),
            ..STORY
        },
    ),
];

const STORY: Story = Story {
    name: "",
    is_for: GuestKernel::is_bookworms,
    is_debian: true,
    without: always("usr of xvdb, mounted by the image, aborted"),
    with: always("usr of xvdb, mounted by the image, writable; proven,refused"),
    guard: UNCONFIGURED,
    tell,
};

/// A disk with room for a part of Debian, and nothing on it.
pub const EMPTY: Host = Host { storage: Storage::Over("/dev/vdc"), ..HEALTHY };

/// The same, of which a refused flush aborts the journal: the device-mapper hides a refusal as long
/// as it carries data.
const HIDES: Host = Host {
    storage: Storage::OverMapped("/dev/vdc"),
    advertises: Advertised::OnlyBarrier,
    ..HEALTHY
};

/// Copies a folder to the second disk, which is mounted over it from the next boot on.
pub fn onto_its_own(at: &str) -> String {
    format!(
        "# {at} on a disk of its own\nset -e\nmount /dev/xvdb /mnt\ncp -a {at}/. /mnt\n\
         umount /mnt\necho '/dev/xvdb {at} ext3 defaults 0 2' >>/etc/fstab\nsync"
    )
}

/// The image has mounted what systemd finds there when it begins.
const MOUNTED: &str = "# who has mounted /usr\n\
    systemctl is-system-running --wait >/dev/null 2>&1\n\
    systemctl show -p ExecMount usr.mount | grep -q 'start_time=.[^n]' && who=systemd\n\
    echo \"usr of $(findmnt -no SOURCE /usr | sed s,/dev/,,), mounted by ${who:-the image}\"";

/// A new file on it, synced, where its journal lives.
const WRITTEN: &str = "# is /usr alive\nexec 2>/dev/null\n\
    sleep 6; echo new >/usr/new; sync -f /usr/new; sleep 6\n\
    dmesg | grep -q 'Aborting journal on device xvdb' && echo aborted && exit\n\
    echo more >/usr/more && sync -f /usr/more && echo writable || echo cannot be written";

/// What came before what, for a person.
const ORDER: &str = "# the order of it\n\
    journalctl -b -o short-monotonic | grep -E 'xvdb|fsck|xvdguard' | head -n 40; true";

fn tell(stage: &mut Stage) -> Result<String> {
    stage.spoil();
    stage.boot_as(System::Debian, &[ROOT, HIDES])?;
    stage.guest("# the boot has ended\nsystemctl is-system-running --wait; true")?;
    stage.guest(&onto_its_own("/usr"))?;
    stage.begin("systemctl poweroff")?;
    stage.is_down(300)?;
    stage.flushes(1, Flushes::Refused)?;
    stage.reborn()?;
    let mounted = stage.guest(MOUNTED)?;
    let alive = stage.guest(WRITTEN)?;
    crate::say(&stage.guest(ORDER)?);
    let verdicts = if stage.is_guarded() { stage.guest(VERDICTS)? } else { String::new() };
    stage.end()?;
    let [mounted, alive, verdicts] = [mounted, alive, verdicts].map(|said| said.trim().to_owned());
    let verdicts = if verdicts.is_empty() { verdicts } else { format!("; {verdicts}") };
    Ok(format!("{mounted}, {alive}{verdicts}"))
}
