//! Files that we edited, read by those who read fstab: `findmnt --verify` says nothing that it did
//! not say before, and Augeas' lens, which configuration tools use, still reads them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::scratch::Scratch;
use harness::{program, requires};
use xvdguard_logic::fstab::{Edit, Fstab};

/// Fstabs as installers and people write them.
fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mount_options/fstabs");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 4);
    files
}

/// All ext3 and ext4 lines with `barrier=0`, and how many these are.
fn edited(before: &[u8]) -> (Vec<u8>, usize) {
    let fstab = Fstab::parse(before);
    let ext = |fstype: &str| matches!(fstype, "ext3" | "ext4");
    let entries = fstab.entries().filter(|entry| entry.fstype.as_str().is_some_and(ext));
    let edits: Vec<_> = entries.map(|entry| (entry.line, Edit::BarrierOff)).collect();
    let edited = fstab.edit(&edits).unwrap();
    (edited.fstab.to_bytes().to_vec(), edited.changes.len())
}

/// What `findmnt --verify` says, line by line, without its sum.
fn verified(findmnt: &Path, file: &Path) -> Vec<String> {
    let ran = Command::new(findmnt)
        .env("LC_ALL", "C")
        .args(["--verify", "--tab-file"])
        .arg(file)
        .output()
        .unwrap();
    let said = [ran.stdout, ran.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    let is_finding = |line: &&str| line.contains('[') || line.starts_with('/');
    said.lines().filter(is_finding).map(str::to_owned).collect()
}

#[test]
fn findmnt_finds_nothing_new_in_an_edited_file() {
    let Some(findmnt) = requires::program("findmnt") else { return };
    let folder = Scratch::new("edited").unwrap();
    let file = folder.path().join("fstab");
    for fixture in fixtures() {
        let before = fs::read(&fixture).unwrap();
        fs::write(&file, &before).unwrap();
        let said_before = verified(&findmnt, &file);
        assert!(!said_before.is_empty(), "{}: nothing to compare", fixture.display());
        let (after, changes) = edited(&before);
        assert!(changes > 0, "{}", fixture.display());
        fs::write(&file, &after).unwrap();
        assert_eq!(verified(&findmnt, &file), said_before, "{}", fixture.display());
    }
}

/// The tree that Augeas makes of a file; where it cannot, there is an error node instead.
fn read_by_augeas(root: &Path, content: &[u8]) -> String {
    fs::write(root.join("etc/fstab"), content).unwrap();
    let transform = "Fstab.lns incl /etc/fstab";
    let arguments = ["--noload", "-A", "--transform", transform, "-r", root.to_str().unwrap()];
    let commands = ["load", "print /files/etc/fstab", "print /augeas//error/message"];
    let script = root.join("script");
    fs::write(&script, commands.join("\n")).unwrap();
    let script = ["-f", script.to_str().unwrap()];
    program::run("augtool", &[&arguments[..], &script].concat()).unwrap()
}

#[test]
fn augeas_reads_an_edited_file_with_the_option_in_it() {
    let Some(_) = requires::program("augtool") else { return };
    let folder = Scratch::new("augeas").unwrap();
    fs::create_dir(folder.path().join("etc")).unwrap();
    let mut readable = 0;
    for fixture in fixtures() {
        let before = fs::read(&fixture).unwrap();
        if read_by_augeas(folder.path(), &before).contains("/error") {
            continue; // A CR is nothing that the lens knows.
        }
        readable += 1;
        let (after, changes) = edited(&before);
        let tree = read_by_augeas(folder.path(), &after);
        assert!(!tree.contains("/error"), "{}: {tree}", fixture.display());
        let count = |what: &str| tree.lines().filter(|line| line.ends_with(what)).count();
        assert_eq!(count("/opt = \"barrier\"") + count("] = \"barrier\""), changes, "{tree}");
        assert_eq!(tree.matches("= \"xvdguard: was").count(), changes, "{tree}");
    }
    assert_eq!(readable, fixtures().len() - 1);
}
