//! The .rpm, by Debian's rpm in a chroot of Debian 12 with dracut: scriptlets run, files are right,
//! nothing is left. Dependencies are not judged: nothing there is known to rpm.

use std::fs;
use std::process::Command;

use harness::program;

use crate::chroot::{Chroot, System};
use crate::made::{self, Package, pack};

/// Runs rpm on the chroot's own database.
fn rpm(chroot: &Chroot, words: &[&str]) -> String {
    let root = chroot.within("");
    let mut command = Command::new("rpm");
    command.arg("--root").arg(root).args(words).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    program::output(&mut command).unwrap()
}

/// What the package says of itself.
fn query(package: &Package, what: &str) -> String {
    program::run("rpm", &["-qp", what, package.file.to_str().unwrap()]).unwrap()
}

#[test]
fn the_rpm_is_installed_and_erased_without_a_trace() {
    if made::folder().is_none() {
        return;
    }
    let Some(programs) = made::programs() else { return };
    let system = System { suite: "bookworm", generator: "dracut" };
    let Some(chroot) = Chroot::new(system) else { return };
    let package = pack("rpm", &programs, "0.1.0");
    // What rpm 4.11 of EL7 can read.
    assert!(!query(&package, "--requires").contains("Zstd"));
    let payload = query(&package, "--qf=%{PAYLOADCOMPRESSOR}");
    assert_eq!(payload, "gzip");
    let libraries = query(&package, "--requires");
    let newest = libraries.lines().filter_map(|line| line.split("GLIBC_2.").nth(1));
    let newest = newest.filter_map(|rest| rest.split([')', '.']).next()?.parse::<u32>().ok()).max();
    assert!(newest.is_some_and(|minor| minor <= 17), "{libraries}");

    let file = chroot.within("tmp/xvdguard.rpm");
    fs::copy(&package.file, &file).unwrap();
    rpm(&chroot, &["--initdb"]);
    let (before, bytes) = (chroot.paths(), chroot.image_bytes());
    rpm(&chroot, &["-i", "--nodeps", file.to_str().unwrap()]);
    assert_eq!(rpm(&chroot, &["-V", "--nodeps", "xvdguard"]), "");
    assert!(!chroot.image().is_empty(), "%posttrans made the image anew");
    let grown = chroot.image_bytes().saturating_sub(bytes);
    chroot.succeed("ls /etc/systemd/system/sysinit.target.wants/xvdguard.service");
    rpm(&chroot, &["-e", "xvdguard"]);
    let left: Vec<String> = chroot.paths().difference(&before).cloned().collect();
    assert_eq!(left, [""; 0]);
    assert!(chroot.image().is_empty(), "{:?}", chroot.image());
    let (compressor, what) = (chroot.compressor(), "installed, verified, erased");
    made::note(&format!(
        "| bookworm | dracut, .rpm | {compressor} | {bytes} | {grown} | | {what} |"
    ));
}
