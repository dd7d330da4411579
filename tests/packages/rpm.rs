//! The .rpm, by Debian's rpm in a chroot of Debian 12 with dracut: scriptlets run, files are right,
//! nothing is left but our lines in fstab and the way back. Never judges dependencies: nothing
//! there is known to rpm.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use harness::{program, programs};

use crate::chroot::{Chroot, System};
use crate::lines;
use crate::made::{self, Package, pack};

/// An image is made anew at each step.
const LIMIT: Duration = Duration::from_secs(300);

/// Runs rpm on the chroot's own database, and returns all that it and the scriptlets said.
#[track_caller]
fn rpm(chroot: &Chroot, words: &[&str]) -> String {
    let root = chroot.within("");
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    let ran = programs::run(command, LIMIT).unwrap();
    let said = ran.out() + &ran.err();
    assert_eq!(ran.code, Some(0), "{words:?}: {said}");
    said
}

/// What the package says of itself.
fn query(package: &Package, what: &str) -> String {
    program::run("rpm", &["-qp", what, package.file.to_str().unwrap()]).unwrap()
}

#[test]
fn the_rpm_is_installed_upgraded_and_erased_without_a_trace() {
    if made::folder().is_none() {
        return;
    }
    let Some(programs) = made::programs() else { return };
    let system = System { suite: "bookworm", generator: "dracut" };
    let Some(chroot) = Chroot::new(system) else { return };
    let package = pack("rpm", &programs, "0.1.0");
    readable_by_el7(&package);
    let [old, new] = [&pack("rpm", &programs, "0.0.1"), &package].map(|package| {
        let file = chroot.within("tmp").join(package.file.file_name().unwrap());
        fs::copy(&package.file, &file).unwrap();
        file.to_str().unwrap().to_owned()
    });
    rpm(&chroot, &["--initdb"]);
    lines::write(&chroot);
    let (before, bytes) = (chroot.paths(), chroot.image_bytes());
    rpm(&chroot, &["-i", "--nodeps", &old]);
    assert_eq!(rpm(&chroot, &["-V", "--nodeps", "xvdguard"]), "");
    assert!(!chroot.image().is_empty(), "%posttrans made the image anew");
    let grown = chroot.image_bytes().saturating_sub(bytes);
    chroot.succeed("ls /etc/systemd/system/sysinit.target.wants/xvdguard.service");

    lines::note(&chroot);
    lines::are_not_told(&rpm(&chroot, &["-U", "--nodeps", &new]));
    assert_eq!(rpm(&chroot, &["-q", "--qf=%{VERSION}", "xvdguard"]), "0.1.0");
    lines::stand(&chroot);
    erased(&chroot, &new, &before);
    let (compressor, what) = (chroot.compressor(), "installed, verified, upgraded, erased");
    made::note(&format!(
        "| bookworm | dracut, .rpm | {compressor} | {bytes} | {grown} | | {what} |"
    ));
}

/// What rpm 4.11 of EL7 unpacks, for the glibc that it has.
fn readable_by_el7(package: &Package) {
    assert!(!query(package, "--requires").contains("Zstd"));
    let payload = query(package, "--qf=%{PAYLOADCOMPRESSOR}");
    assert_eq!(payload, "gzip");
    let libraries = query(package, "--requires");
    let newest = libraries.lines().filter_map(|line| line.split("GLIBC_2.").nth(1));
    let newest = newest.filter_map(|rest| rest.split([')', '.']).next()?.parse::<u32>().ok()).max();
    assert!(newest.is_some_and(|minor| minor <= 17), "{libraries}");
}

/// With our lines in fstab only the way back is left, and once it has been gone nothing.
fn erased(chroot: &Chroot, file: &str, before: &BTreeSet<String>) {
    let left = || -> Vec<String> { chroot.paths().difference(before).cloned().collect() };
    lines::are_told(&rpm(chroot, &["-e", "xvdguard"]));
    assert_eq!(left(), lines::KEPT);
    lines::stand(chroot);
    assert!(chroot.image().is_empty(), "{:?}", chroot.image());

    // Without a word for the maker of images.
    rpm(chroot, &["-i", "--nodeps", "--noscripts", file]);
    chroot.succeed("xvdguard revert");
    lines::are_gone(chroot);
    lines::are_not_told(&rpm(chroot, &["-e", "xvdguard"]));
    assert_eq!(left(), [""; 0]);
    lines::are_gone(chroot);
}
