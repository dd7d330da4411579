//! The files that the audit looks at: a fixed, small set.

/// A pattern of paths, and what they are.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Below the root; `*` in a component stands for any characters of a name.
    pub pattern: &'static str,
    /// What they are.
    pub kind: Kind,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// fstab(5).
    Fstab,
    /// systemd.mount(5).
    MountUnit,
    /// `/proc/self/mountinfo`.
    Mountinfo,
    /// `/proc/swaps`.
    Swaps,
    /// modprobe.d(5).
    Modprobe,
    /// sysctl.d(5).
    Sysctl,
    /// The running kernel's release.
    Release,
    /// A file below `/proc/sys`.
    LiveSysctl,
    /// Holds lines that a boot loader hands to a kernel.
    Boot(BootForm),
    /// Holds lines of which some matter.
    Lines(super::LineKind),
    /// An attribute of sysfs.
    Sysfs,
    /// xvdguard's configuration, which the program reads itself: for recordings.
    Configuration,
    /// It matters only whether it exists.
    Mark,
}

/// How a boot loader's file holds the kernel's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootForm {
    /// menu.lst of GRUB legacy, grub.cfg, extlinux.conf, loader entries: behind a directive.
    Directive,
    /// `/etc/default/grub`: in a shell variable.
    Variable,
    /// `/etc/kernel/cmdline`: all of it.
    Whole,
}

use super::LineKind::{DeviceMap, Initrd, Iscsid, Script, Toolstack, Udev};
use BootForm::{Directive, Variable, Whole};
use Kind::{
    Boot, Configuration, Fstab, Lines, LiveSysctl, Mark, Modprobe, MountUnit, Mountinfo, Release,
    Swaps, Sysctl, Sysfs,
};

/// All of them. Kinds that override each other stand in the order in which the later one wins.
#[rustfmt::skip]
pub const WANTED: &[Wanted] = &[
    want("etc/fstab", Fstab),
    want("proc/self/mountinfo", Mountinfo),
    want("proc/swaps", Swaps),
    want("proc/sys/kernel/osrelease", Release),
    want("etc/modprobe.conf", Modprobe),
    want("etc/modprobe.d/*.conf", Modprobe),
    want("run/modprobe.d/*.conf", Modprobe),
    want("run/sysctl.d/*.conf", Sysctl),
    want("etc/sysctl.d/*.conf", Sysctl),
    want("etc/sysctl.conf", Sysctl),
    want("proc/sys/kernel/hung_task_panic", LiveSysctl),
    want("proc/sys/kernel/hung_task_timeout_secs", LiveSysctl),
    want("proc/sys/kernel/panic", LiveSysctl),
    want("proc/sys/kernel/panic_on_io_nmi", LiveSysctl),
    want("proc/sys/kernel/panic_on_oops", LiveSysctl),
    want("proc/sys/kernel/panic_on_rcu_stall", LiveSysctl),
    want("proc/sys/kernel/panic_on_unrecovered_nmi", LiveSysctl),
    want("proc/sys/kernel/panic_on_warn", LiveSysctl),
    want("proc/sys/kernel/softlockup_panic", LiveSysctl),
    want("proc/sys/kernel/unknown_nmi_panic", LiveSysctl),
    want("sys/class/watchdog/*/identity", Sysfs),
    want("sys/class/watchdog/*/state", Sysfs),
    want("sys/class/watchdog/*/timeout", Sysfs),
    want("sys/block/xvd*/xvd*/size", Sysfs),
    want("sys/block/xvd*/xvd*/start", Sysfs),
    want("sys/fs/ext4/*/errors_count", Sysfs),
    want("etc/default/grub", Boot(Variable)),
    want("etc/kernel/cmdline", Boot(Whole)),
    want("boot/loader/entries/*.conf", Boot(Directive)),
    want("boot/grub2/grub.cfg", Boot(Directive)),
    want("boot/grub/grub.cfg", Boot(Directive)),
    want("boot/grub/menu.lst", Boot(Directive)),
    want("boot/grub/grub.conf", Boot(Directive)),
    want("boot/extlinux/extlinux.conf", Boot(Directive)),
    want("boot/grub/device.map", Lines(DeviceMap)),
    want("boot/grub2/device.map", Lines(DeviceMap)),
    want("etc/sysconfig/kernel", Lines(Initrd)),
    want("etc/rc.local", Lines(Script)),
    want("etc/rc.d/rc.local", Lines(Script)),
    want("etc/init.d/boot.local", Lines(Script)),
    want("etc/crontab", Lines(Script)),
    want("etc/cron.d/*", Lines(Script)),
    want("etc/cron.hourly/*", Lines(Script)),
    want("etc/cron.daily/*", Lines(Script)),
    want("var/spool/cron/root", Lines(Script)),
    want("var/spool/cron/tabs/root", Lines(Script)),
    want("var/spool/cron/crontabs/root", Lines(Script)),
    want("etc/systemd/system/*.mount", MountUnit),
    want("etc/systemd/system/*.service", Lines(Script)),
    want("etc/tmpfiles.d/*.conf", Lines(Script)),
    want("etc/udev/rules.d/*.rules", Lines(Udev)),
    want("etc/iscsi/iscsid.conf", Lines(Iscsid)),
    want("etc/xen/*.cfg", Lines(Toolstack)),
    want("etc/xvdguard/config.toml", Configuration),
    want("etc/xvdguard/config.d/*.toml", Configuration),
    want("boot/vmlinuz-*", Mark),
    want("boot/vmlinux-*", Mark),
    want("lib/modules/*/modules.dep", Mark),
    want("run/xvdguard/second-chance", Mark),
    want("run/initramfs", Mark),
    want("run/initramfs/fsck-root", Mark),
    want("run/initramfs/fsck.log", Mark),
    want("usr/share/initramfs-tools/hooks/fsck", Mark),
    want("usr/share/initramfs-tools/hooks/xvdguard*", Mark),
    want("etc/initramfs-tools/hooks/xvdguard*", Mark),
    want("usr/lib/dracut/modules.d/*xvdguard*", Mark),
    want("usr/lib/initcpio/install/xvdguard*", Mark),
    want("usr/lib/systemd/system/xvdguard-early.service", Mark),
    want("lib/systemd/system/xvdguard-early.service", Mark),
    want("etc/systemd/system/xvdguard-early.service", Mark),
];

const fn want(pattern: &'static str, kind: Kind) -> Wanted {
    Wanted { pattern, kind }
}

/// Whether a name is one that the pattern means; `*` stands for any bytes.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        Some((b'*', rest)) => (0..=name.len()).any(|at| matches(rest, &name[at..])),
        Some((byte, rest)) => name.first() == Some(byte) && matches(rest, &name[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", true),
            ("*.conf", "a.conf~", false),
            ("*xvdguard*", "90xvdguard", true),
            ("xvd*", "sda", false),
            ("*", "anything", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
