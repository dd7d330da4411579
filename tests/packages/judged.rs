//! What the distributions' own judges say of the packages that `make packages` left, and whether a
//! second packing gives the same bytes.

use std::fs;
use std::path::{Path, PathBuf};

use harness::{program, requires};

use crate::made;

/// The package of this kind.
fn package(folder: &Path, kind: &str) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        name.ends_with(kind) && (name.contains("amd64") || name.contains("x86_64"))
    };
    files.find(is_it).unwrap_or_else(|| panic!("no {kind}: make packages"))
}

#[test]
fn lintian_has_nothing_to_say() {
    let Some(folder) = made::folder() else { return };
    let Some(_) = requires::program("lintian") else { return };
    let file = package(&folder, ".deb");
    let words = ["--fail-on", "error,warning", "--allow-root", file.to_str().unwrap()];
    assert_eq!(program::run("lintian", &words).unwrap(), "");
}

#[test]
fn rpmlint_has_nothing_to_say() {
    let Some(folder) = made::folder() else { return };
    let Some(_) = requires::program("rpmlint") else { return };
    let reasons = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/rpm/rpmlint.toml");
    let file = package(&folder, ".rpm");
    let said = program::run("rpmlint", &["-c", reasons, file.to_str().unwrap()]).unwrap();
    assert!(said.contains("0 errors, 0 warnings"), "{said}");
}

#[test]
fn packed_again_the_bytes_are_the_same() {
    if made::folder().is_none() {
        return;
    }
    let Some(programs) = made::programs() else { return };
    for kind in ["deb", "rpm"] {
        let version = env!("CARGO_PKG_VERSION");
        let first = fs::read(made::pack(kind, &programs, version).file).unwrap();
        let second = fs::read(made::pack(kind, &programs, version).file).unwrap();
        assert!(first == second, "{kind}");
    }
}
