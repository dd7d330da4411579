//! Which disks lie below which mount, through every layer and under every name that Linux allows.
//!
//! A root of plain files: neither root's rights nor devices are needed to look.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use harness::programs::{self, Ran};
use harness::scratch::Scratch;
use serde_json::Value;

use crate::setup::document;

fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("probe/fixtures").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A root with the files of `layers.tsv` (path, tab, content; a folder ends in `/`), the fixture
/// mountinfo, and a xenstore that wants to be believed.
fn root() -> Scratch {
    let root = Scratch::new("layers").unwrap();
    let rows = String::from_utf8(fixture("layers.tsv")).unwrap();
    for row in rows.lines() {
        let (path, content) = row.split_once('\t').unwrap_or((row, ""));
        let path = root.path().join(path);
        let folder = if row.ends_with('/') { &path } else { path.parent().unwrap() };
        fs::create_dir_all(folder).unwrap();
        if !row.ends_with('/') {
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }
    fs::create_dir_all(root.path().join("proc/self")).unwrap();
    fs::write(root.path().join("proc/self/mountinfo"), fixture("mountinfo")).unwrap();
    fs::write(root.path().join("xenstore.txt"), fixture("hostile-xenstore.txt")).unwrap();
    root
}

fn xvdguard(root: &Scratch, words: &[&str]) -> Ran {
    let mut command = programs::command("xvdguard").unwrap();
    command.args(words).arg("--root").arg(root.path());
    command.arg("--xenstore").arg(root.path().join("xenstore.txt"));
    let ran = programs::run(command, Duration::from_secs(20)).unwrap();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran
}

/// Mount point as shown, file system, disks.
fn volumes(status: &Value) -> Vec<(&str, &str, Vec<&str>)> {
    let volumes = status["volumes"].as_array().unwrap().iter();
    let shown = volumes.map(|volume| {
        let disks = volume["disks"].as_array().unwrap().iter();
        let text = |key: &str| volume[key].as_str().unwrap();
        (text("mount_point"), text("fstype"), disks.map(|disk| disk.as_str().unwrap()).collect())
    });
    shown.collect()
}

#[test]
fn each_volume_leads_to_its_disks_through_every_layer() {
    let root = root();
    let status = document(&xvdguard(&root, &["--json", "status"]));
    let expected = [
        ("/", "ext4", vec!["xvda"]),
        ("/srv/with space", "ext4", vec!["xvda", "xvdb", "xvdc"]),
        (r"/srv/new\x0aline", "xfs", vec!["xvda", "xvdb", "xvdc"]),
        (r"/srv/\xff\xfe", "ext4", vec!["xvdc", "xvdd"]),
        (r"/srv/\x1b[2J\x1b]0;owned\x07", "ext3", vec!["xvde2"]),
        (r"/srv/\xe2\x80\xaetxt\xc2\x9b1m", "ext4", vec!["xvdb"]),
    ];
    assert_eq!(volumes(&status), expected, "{status:#}");
    let oddities = status["oddities"].to_string();
    assert!(oddities.contains("1 lines are no mountinfo"), "{oddities}");
}

/// Line feeds end lines; every other control character, of either block, is a command.
fn is_harmless(text: &[u8]) -> bool {
    let text = String::from_utf8(text.to_vec()).expect("not UTF-8");
    let deceives = |c: char| matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    !text.chars().any(|c| (c.is_control() && c != '\n') || deceives(c))
}

#[test]
fn nothing_that_is_shown_can_command_a_terminal() {
    let root = root();
    let hostile = OsStr::from_bytes(b"xvd\x1b[2J\xff");
    let folder = root.path().join("sys/block").join(hostile);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("dev"), "202:999\n").unwrap();
    fs::write(folder.join("size"), "131072\n").unwrap();
    let broken = root.path().join("sys/block").join(OsStr::from_bytes(b"xvd\x1b]0;\x07"));
    fs::create_dir_all(broken).unwrap();
    for words in [&["status"][..], &["status", "-v"], &["--json", "status"]] {
        let ran = xvdguard(&root, words);
        assert!(ran.out().contains(r"xvd\x1b[2J\xff") || words[0] == "--json", "{}", ran.out());
        assert!(is_harmless(&ran.stdout), "{words:?}: {:?}", ran.out());
        assert!(is_harmless(&ran.stderr), "{words:?}: {:?}", ran.err());
    }
}
