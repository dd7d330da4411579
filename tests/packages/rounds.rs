//! Install, upgrade, remove, purge: what a person who does this sees, and what is left.

use std::fs;

use harness::requires;

use crate::chroot::{Chroot, System};
use crate::made::{self, pack};

/// What the administrator wrote.
const CONFIGURATION: &str = "[barrier]\nmode = \"leave\"\n";
/// What `xvdguard apply` would have written.
const FSTAB: &str = "# static file system information\n/dev/xvda2 / ext4 defaults 0 1\n\
    # xvdguard: was /dev/xvdb /srv ext4 defaults 0 2\n/dev/xvdb /srv ext4 defaults,barrier=0 0 2\n";
/// More than this would have to be told.
const IMAGE_GROWS_AT_MOST: u64 = 700_000;

/// What an image carries.
fn expected(system: System) -> Vec<&'static str> {
    let own = match system.generator {
        "dracut" => "usr/lib/xvdguard/sysroot-options",
        _ => "scripts/local-premount/xvdguard",
    };
    vec![
        "etc/xvdguard/frozen.policy",
        own,
        "usr/lib/udev/rules.d/60-xvdguard.rules",
        "usr/lib/xvdguard/root-options",
        "usr/lib/xvdguard/xvdguard-early",
    ]
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
    fs::write(chroot.within("etc/fstab"), FSTAB).unwrap();
    let (before, bytes) = (chroot.paths(), chroot.image_bytes());
    assert!(chroot.image().is_empty(), "{:?}", chroot.image());

    chroot.succeed("dpkg -i /tmp/old.deb");
    holds_ours(&chroot, system);
    let grown = chroot.image_bytes().saturating_sub(bytes);
    let is_zstd = system.generator != "dracut";
    assert!(!is_zstd || grown <= IMAGE_GROWS_AT_MOST, "{system:?}: {grown}");
    assert!(chroot.succeed("xvdguard --version").contains("xvdguard 0."));
    check_services(&chroot, system);

    // A changed configuration outlives an upgrade, and is in the image after it.
    fs::write(chroot.within("etc/xvdguard/config.toml"), CONFIGURATION).unwrap();
    chroot.succeed("dpkg -i /tmp/new.deb");
    assert_eq!(chroot.succeed("dpkg-query -W -f '${Version}' xvdguard"), "0.1.0");
    let kept = fs::read_to_string(chroot.within("etc/xvdguard/config.toml")).unwrap();
    assert_eq!(kept, CONFIGURATION, "{system:?}");
    holds_ours(&chroot, system);

    let said = chroot.succeed("dpkg -r xvdguard");
    assert!(said.contains("/dev/xvdb /srv ext4 defaults,barrier=0"), "{system:?}: {said}");
    assert!(said.contains("xvdguard revert"), "{system:?}: {said}");
    assert!(chroot.image().is_empty(), "{system:?}: {:?}", chroot.image());
    let kept = fs::read_to_string(chroot.within("etc/xvdguard/config.toml")).unwrap();
    assert_eq!(kept, CONFIGURATION, "{system:?}: removal keeps it, purge does not");

    chroot.succeed("dpkg -P xvdguard");
    let left: Vec<String> = chroot.paths().difference(&before).cloned().collect();
    assert_eq!(left, [""; 0], "{system:?}");
    assert_eq!(fs::read_to_string(chroot.within("etc/fstab")).unwrap(), FSTAB, "{system:?}");
    made::note(&format!(
        "| {} | {} | {bytes} | {grown} | installed, upgraded, removed, purged |",
        system.suite, system.generator
    ));
}

/// Both services are enabled, and systemd understands what they say.
fn check_services(chroot: &Chroot, system: System) {
    if !chroot.within("usr/bin/systemctl").exists() && !chroot.within("bin/systemctl").exists() {
        // sysvinit's links.
        for path in ["etc/rcS.d/S*xvdguard-early", "etc/rc2.d/S*xvdguard", "etc/rc0.d/K*xvdguard"] {
            chroot.succeed(&format!("ls -d /{path}"));
        }
        return;
    }
    for unit in ["xvdguard.service", "xvdguard-early.service"] {
        chroot.succeed(&format!("ls /etc/systemd/system/sysinit.target.wants/{unit}"));
        // systemd 247 cannot do that in a chroot.
        if system.suite == "bullseye" {
            continue;
        }
        let said =
            chroot.succeed(&format!("systemd-analyze verify --man=no /lib/systemd/system/{unit}"));
        let ours: Vec<&str> = said.lines().filter(|line| line.contains("xvdguard")).collect();
        assert_eq!(ours, [""; 0], "{system:?}");
    }
    if system.suite == "trixie" {
        chroot.succeed("udevadm verify --no-style /usr/lib/udev/rules.d/60-xvdguard.rules");
    }
}

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
