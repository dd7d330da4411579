//! Names of disks that this machine does not have.

use alloc::format;
use alloc::string::String;

use super::Said;
use crate::text::Text;

/// `fstab-names-absent-disk`
pub const FSTAB_NAMES_ABSENT_DISK: &str =
    "fstab needs a disk by a name that disks have on other hypervisors: boot stops";
/// `root-names-absent-disk`
pub const ROOT_NAMES_ABSENT_DISK: &str =
    "the boot loader names root by a disk of another hypervisor: the next boot fails";
/// `device-map-names-absent-disk`
pub const DEVICE_MAP_NAMES_ABSENT_DISK: &str =
    "GRUB's device map names a disk of another hypervisor";
/// `initrd-lacks-disk-driver`
pub const INITRD_LACKS_DISK_DRIVER: &str =
    "the next initramfs gets the disk driver of another hypervisor, and not the one needed here";
/// `udev-rule-names-absent-disk`
pub const UDEV_RULE_NAMES_ABSENT_DISK: &str =
    "a udev rule is for disks of another hypervisor and does nothing here";

const BY_UUID: &str = "name it by UUID= (blkid tells), which is the same on every hypervisor";

fn likely(likely: &Option<String>) -> String {
    match likely {
        Some(name) => format!("; here it is probably {name}"),
        None => String::new(),
    }
}

/// The first field of fstab.
pub fn in_fstab(source: &Text, here: &Option<String>) -> Said {
    Said::new(
        format!(
            "no disk here has a name like {source}{}. A boot waits for it, and then stops in an \
             emergency shell",
            likely(here)
        ),
        BY_UUID,
    )
}

/// `root=` in a boot loader's file.
pub fn in_root_word(value: &Text, here: &Option<String>) -> Said {
    Said::new(
        format!(
            "root={value}: no disk here has a name like that{}. A boot by this line finds no root",
            likely(here)
        ),
        format!("{BY_UUID}, where the boot loader's configuration is made from (update-grub)"),
    )
}

/// A line of device.map.
pub fn in_device_map(device: &str, here: &Option<String>) -> Said {
    let device = Text::from(device);
    Said::new(
        format!(
            "{device} is no disk of this machine{}. grub-install and update-grub fail, or write to \
             the wrong disk",
            likely(here)
        ),
        "remove the file (GRUB 2 needs none), or make it anew with grub-mkdevicemap",
    )
}

/// `INITRD_MODULES`.
pub fn in_initrd_modules(driver: &str) -> Said {
    Said::new(
        format!(
            "INITRD_MODULES names the disk driver of another hypervisor, and not {driver}: the \
             next mkinitrd makes an image that finds no disk"
        ),
        format!("put {driver} there, then mkinitrd"),
    )
}

/// `KERNEL=="sd*"`.
pub fn in_udev_rule(pattern: &str, kind: &str) -> Said {
    Said::new(
        format!(
            "the rule is for {}, and the disks here are called {kind}*: what it sets is not set",
            Text::from(pattern)
        ),
        format!("write KERNEL==\"{kind}*\" if it is wanted here, else remove it"),
    )
}
