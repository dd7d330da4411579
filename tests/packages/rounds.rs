//! Install, upgrade, remove, purge: what a person who does this sees, and what is left.

use std::collections::BTreeSet;
use std::fs;

use harness::{program, requires};

use crate::chroot::{Chroot, System};
use crate::lines;
use crate::made::{self, pack};

/// What the administrator wrote.
const CONFIGURATION: &str = "[barrier]\nmode = \"leave\"\n";
/// More than this would have to be told.
const IMAGE_GROWS_AT_MOST: u64 = 700_000;

/// What an image carries.
fn expected(system: System) -> Vec<&'static str> {
    let own: &[&str] = match system.generator {
        // A link is listed by where it leads to: that of the target which wants it.
        "dracut" => &[
            "usr/lib/systemd/system/xvdguard-sysroot.service",
            "../xvdguard-sysroot.service",
            "usr/lib/xvdguard/sysroot-options",
        ],
        _ => &["scripts/local-premount/xvdguard"],
    };
    let everywhere = [
        "etc/xvdguard/frozen.policy",
        "usr/lib/udev/rules.d/60-xvdguard.rules",
        "usr/lib/xvdguard/queue-limits",
        "usr/lib/xvdguard/root-options",
        "usr/lib/xvdguard/within-limit",
        "usr/lib/xvdguard/xvdguard-early",
    ];
    [own, &everywhere].concat()
}

fn holds_ours(chroot: &Chroot, system: System) {
    let found = chroot.image();
    let bare = |path: &str| path.trim_start_matches("./").trim_start_matches('/').to_owned();
    let found: Vec<String> = found.iter().map(|path| bare(path)).collect();
    for path in expected(system) {
        assert!(found.iter().any(|one| one.ends_with(path)), "{system:?}: no {path} in {found:?}");
    }
}

fn round(system: System) {
    let Some(_) = requires::program("dpkg-buildpackage") else { return };
    let Some(programs) = made::programs() else { return };
    let Some(chroot) = Chroot::new(system) else { return };
    let (old, new) = (pack("deb", &programs, "0.0.1"), pack("deb", &programs, "0.1.0"));
    fs::copy(&old.file, chroot.within("tmp/old.deb")).unwrap();
    fs::copy(&new.file, chroot.within("tmp/new.deb")).unwrap();
    lines::write(&chroot);
    let (before, bytes) = (chroot.paths(), chroot.image_bytes());
    // One system of each maker is enough.
    let is_compared = made::folder().is_some() && system.suite == "bookworm";
    let other = is_compared.then(|| chroot.bytes_of_other());
    assert!(chroot.image().is_empty(), "{:?}", chroot.image());

    chroot.succeed("dpkg -i /tmp/old.deb");
    holds_ours(&chroot, system);
    let grown = chroot.image_bytes().saturating_sub(bytes);
    assert!(grown <= IMAGE_GROWS_AT_MOST, "{system:?}: {grown}");
    let compressor = chroot.compressor();
    if let Some((compressor, bytes)) = other {
        let grown = chroot.bytes_of_other().1.saturating_sub(bytes);
        let System { suite, generator } = system;
        made::note(&format!("| {suite} | {generator} | {compressor} | {bytes} | {grown} | | |"));
        assert!(grown <= IMAGE_GROWS_AT_MOST, "{system:?} {compressor}: {grown}");
    }
    assert!(chroot.succeed("xvdguard --version").contains("xvdguard 0."));
    let exposed = check_services(&chroot, system);

    if system.generator == "initramfs-tools" {
        waits_for_root(&chroot);
    }

    // A changed configuration outlives an upgrade, and is in the image after it; so do our lines.
    fs::write(chroot.within("etc/xvdguard/config.toml"), CONFIGURATION).unwrap();
    lines::note(&chroot);
    lines::are_not_told(&chroot.succeed("dpkg -i /tmp/new.deb"));
    lines::stand(&chroot);
    assert_eq!(chroot.succeed("dpkg-query -W -f '${Version}' xvdguard"), "0.1.0");
    let kept = fs::read_to_string(chroot.within("etc/xvdguard/config.toml")).unwrap();
    assert_eq!(kept, CONFIGURATION, "{system:?}");
    holds_ours(&chroot, system);

    lines::are_told(&chroot.succeed("dpkg -r xvdguard"));
    lines::stand(&chroot);
    assert!(chroot.image().is_empty(), "{system:?}: {:?}", chroot.image());
    let kept = fs::read_to_string(chroot.within("etc/xvdguard/config.toml")).unwrap();
    assert_eq!(kept, CONFIGURATION, "{system:?}: removal keeps it, purge does not");
    purged(&chroot, &before);
    made::note(&format!(
        "| {} | {} | {compressor} | {bytes} | {grown} | {exposed} | installed, upgraded, removed, \
         purged |",
        system.suite, system.generator
    ));
}

/// The script of the image with the functions of this system's init: these call it first and wait
/// for root's device after it. Here the device comes after a second.
fn waits_for_root(chroot: &Chroot) {
    let image = "ln -s usr/share/initramfs-tools/scripts /scripts && \
        export BOOT=local ROOT=/dev/late ROOTDELAY= quiet=n starttime=$(cut -d. -f1 /proc/uptime)";
    let disk = chroot.within("tmp/late");
    program::run("mke2fs", &["-q", disk.to_str().unwrap(), "1M"]).unwrap();
    let comes = "{ sleep 1; mv /tmp/late /dev/late; } &";
    let said = chroot.succeed(&format!(
        "{image}; {comes} /scripts/local-premount/xvdguard && ls /dev/late; \
         rm -rf /dev/late /scripts /run/blkid"
    ));
    assert!(said.contains("/dev/late"), "{said}");
    assert!(!said.contains("Gave up"), "{said}");
}

/// A purge leaves nothing but what takes our lines back, as long as they stand in fstab; another
/// one leaves nothing. fstab is never touched.
fn purged(chroot: &Chroot, before: &BTreeSet<String>) {
    let left = || -> Vec<String> { chroot.paths().difference(before).cloned().collect() };
    lines::are_told(&chroot.succeed("dpkg -P xvdguard"));
    assert_eq!(left(), lines::KEPT);
    lines::stand(chroot);

    // The way back, without a word for the maker of images.
    chroot.succeed("dpkg --no-triggers -i /tmp/new.deb");
    chroot.succeed("xvdguard revert");
    lines::are_gone(chroot);
    lines::are_not_told(&chroot.succeed("dpkg --no-triggers -P xvdguard"));
    assert_eq!(left(), [""; 0]);
    lines::are_gone(chroot);
}

/// Both services are enabled, and systemd understands what they say. Returns how exposed it finds
/// the daemon.
fn check_services(chroot: &Chroot, system: System) -> String {
    if !chroot.within("usr/bin/systemctl").exists() && !chroot.within("bin/systemctl").exists() {
        // sysvinit's links.
        for path in ["etc/rcS.d/S*xvdguard-early", "etc/rc2.d/S*xvdguard", "etc/rc0.d/K*xvdguard"] {
            chroot.succeed(&format!("ls -d /{path}"));
        }
        return "no systemd".to_owned();
    }
    if system.suite == "trixie" {
        chroot.succeed("udevadm verify /usr/lib/udev/rules.d/60-xvdguard.rules");
    }
    for unit in UNITS {
        chroot.succeed(&format!("ls /etc/systemd/system/sysinit.target.wants/{unit}"));
    }
    let _kernel = chroot.kernel_file_systems();
    for unit in UNITS {
        let said =
            chroot.succeed(&format!("systemd-analyze verify --man=no /lib/systemd/system/{unit}"));
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("xvdguard")).collect();
        assert_eq!(ours, [""; 0], "{system:?}");
    }
    if system.suite == "bullseye" {
        return "systemd 247 does not say".to_owned();
    }
    let said = chroot.succeed("systemd-analyze security --offline=yes --no-pager xvdguard.service");
    let level = said.lines().find_map(|line| line.split_once("xvdguard.service: "));
    level.unwrap_or_else(|| panic!("{said}")).1.to_owned()
}

const UNITS: [&str; 2] = ["xvdguard.service", "xvdguard-early.service"];

#[test]
fn bookworm_with_initramfs_tools() {
    round(System { suite: "bookworm", generator: "initramfs-tools" });
}

/// The rounds of `make packages-test`.
fn all(suite: &'static str, generator: &'static str) {
    if made::folder().is_some() {
        round(System { suite, generator });
    }
}

#[test]
fn bookworm_with_dracut() {
    all("bookworm", "dracut");
}

#[test]
fn bullseye_with_initramfs_tools() {
    all("bullseye", "initramfs-tools");
}

#[test]
fn bullseye_with_dracut() {
    all("bullseye", "dracut");
}

#[test]
fn trixie_with_initramfs_tools() {
    all("trixie", "initramfs-tools");
}

#[test]
fn trixie_with_dracut() {
    all("trixie", "dracut");
}
