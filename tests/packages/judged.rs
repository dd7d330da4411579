//! What the distributions' own judges say of the packages that `make packages` left, and whether a
//! second build in another folder gives the same bytes.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use harness::scratch::Scratch;
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
    let words = ["--fail-on", "error,warning", "--allow-root", text(&file)];
    assert_eq!(program::run("lintian", &words).unwrap(), "");
}

#[test]
fn rpmlint_has_nothing_to_say() {
    let Some(folder) = made::folder() else { return };
    let Some(_) = requires::program("rpmlint") else { return };
    let reasons = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/rpm/rpmlint.toml");
    let file = package(&folder, ".rpm");
    let said = program::run("rpmlint", &["-c", reasons, text(&file)]).unwrap();
    assert!(said.contains("0 errors, 0 warnings"), "{said}");
}

/// What this tree holds, as a repository of its own elsewhere.
const COPY: &str = r#"set -eu
git() { command git -c safe.directory='*' "$@"; }
git -C "$1" ls-files -co --exclude-standard -z | (cd "$1" && xargs -0 cp -P --parents -t "$2")
cd "$2"
git init -q
git add -A
"#;

/// Another folder, another target folder, its own zig; only the date is the same.
#[test]
fn built_again_elsewhere_the_bytes_are_the_same() {
    let Some(folder) = made::folder() else { return };
    let Some(_) = made::programs() else { return };
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let scratch = Scratch::new("elsewhere").unwrap();
    let tree = scratch.path().join("tree");
    fs::create_dir(&tree).unwrap();
    program::run("sh", &["-c", COPY, "copy", text(here), text(&tree)]).unwrap();
    for arch in ["amd64", "arm64"] {
        let begin = Instant::now();
        let again = scratch.path().join(format!("out/programs-{arch}"));
        let mut build = Command::new(tree.join("packaging/build"));
        program::output(build.arg(arch).arg(&again)).unwrap();
        let first = folder.join(format!("programs-{arch}"));
        packed_alike(arch, [(here, &first), (&tree, &again)]);
        println!("{arch}: built again in {} s", begin.elapsed().as_secs());
    }
}

/// Packs the programs of two trees, as each kind, and compares.
fn packed_alike(arch: &str, made_of: [(&Path, &PathBuf); 2]) {
    for kind in ["deb", "rpm"] {
        let [first, second] = made_of.map(|(tree, programs)| {
            let package = made::pack_in(tree, [kind, arch], programs, env!("CARGO_PKG_VERSION"));
            fs::read(&package.file).unwrap()
        });
        assert!(first == second, "{kind} for {arch}: {} and {} bytes", first.len(), second.len());
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// The early one needs nothing, the other the libraries of the cross compiler. The same log tells
/// both architectures the same story.
#[test]
fn what_is_made_for_arm64_runs_under_emulation() {
    let Some(folder) = made::folder() else { return };
    let Some(programs) = made::programs() else { return };
    let Some(_) = requires::program("qemu-aarch64-static") else { return };
    let arm = folder.join("programs-arm64");
    let emulated = |name: &str, words: &[&str]| {
        let mut command = Command::new("qemu-aarch64-static");
        command.args(["-L", "/usr/aarch64-linux-gnu"]).arg(arm.join(name)).args(words);
        harness::programs::run(command, EMULATION).unwrap()
    };
    let version = env!("CARGO_PKG_VERSION");
    let early = emulated("xvdguard-early", &["--version"]);
    assert_eq!(early.out(), format!("xvdguard-early {version}\n"));
    let nothing = Scratch::new("arm64").unwrap();
    let root = text(nothing.path());
    let boot = emulated("xvdguard-early", &["boot", "--format", "plain", "--root", root]);
    assert_eq!((boot.code, boot.err().as_str()), (Some(0), ""));

    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/explain/stories/outage-6.1.log");
    let story = emulated("xvdguard", &["--no-color", "explain", log]);
    let mut here = Command::new(programs.join("xvdguard"));
    here.args(["--no-color", "explain", log]);
    let here = harness::programs::run(here, EMULATION).unwrap();
    assert_eq!(here.code, Some(10), "{}", here.err());
    assert_eq!((story.code, story.out()), (here.code, here.out()));
}

const EMULATION: Duration = Duration::from_secs(60);
