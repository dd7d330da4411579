//! The packages under test: of the programs that were built for this machine, or those that
//! `make packages` left in the folder `XVDGUARD_PACKAGES`.

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::scratch::Scratch;
use harness::{program, requires};

/// A package of this version. It goes with the value.
#[derive(Debug)]
pub struct Package {
    /// Where it is.
    pub file: PathBuf,
    _scratch: Scratch,
}

/// The folder of all packages, where `make packages-test` plays all rounds.
pub fn folder() -> Option<PathBuf> {
    env::var_os("XVDGUARD_PACKAGES").map(PathBuf::from)
}

/// Writes a row down for `packaging/RESULTS.md`, where all rounds are played.
pub fn note(row: &str) {
    let Some(folder) = folder() else { return };
    let mut results =
        OpenOptions::new().create(true).append(true).open(folder.join("results")).unwrap();
    results.write_all(format!("{row}\n").as_bytes()).unwrap();
}

/// The programs that packages are made of. `None` where nobody has run `make build`.
#[track_caller]
pub fn programs() -> Option<PathBuf> {
    requires::built()?;
    let ours = env::var_os("XVDGUARD_BIN_DIR").map(PathBuf::from);
    folder().map(|folder| folder.join("programs-amd64")).or(ours)
}

/// Packs a `deb` or `rpm` of this version.
pub fn pack(kind: &str, programs: &Path, version: &str) -> Package {
    let tree = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    pack_in(tree, [kind, "amd64"], programs, version)
}

/// Packs what lies in this tree, of a kind and for an architecture. Every package of a test has the
/// same date.
pub fn pack_in(tree: &Path, words: [&str; 2], programs: &Path, version: &str) -> Package {
    let [kind, _] = words;
    let scratch = Scratch::new("packages").unwrap();
    let mut pack = Command::new(tree.join("packaging/pack"));
    pack.args(words).arg(programs).arg(scratch.path()).arg(version);
    program::output(pack.env("SOURCE_DATE_EPOCH", "1763650000")).unwrap();
    let mut files = fs::read_dir(scratch.path()).unwrap().map(|entry| entry.unwrap().path());
    let file = files.find(|path| path.extension().is_some_and(|end| end == kind));
    Package { file: file.unwrap(), _scratch: scratch }
}
