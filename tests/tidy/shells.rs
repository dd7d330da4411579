//! Shell and udev: short, and each file says what it is for.
//!
//! Code that runs before root is mounted, or as root during an installation, is read by people
//! in trouble. What grows past these limits becomes Rust.

use crate::finding::{Finding, accept, lines};
use crate::tree::{Source, sources};

/// The first limit whose prefix fits counts: lines of a shell script.
const SHELL_LINES: [(&str, usize); 4] =
    [("initramfs/", 60), ("packaging/", 60), (".ci/", 80), ("", 120)];
/// Lines of a file of udev rules.
const UDEV_LINES: usize = 25;
/// udev(7): keys that are satisfied by the device itself or any above it.
const UPWARDS: [&str; 5] = ["KERNELS", "SUBSYSTEMS", "DRIVERS", "ATTRS", "TAGS"];

/// Whether it is a shell script, by its first line or its name.
pub fn is_shell(source: &Source) -> bool {
    let shells = ["sh", "bash", "dash", "ash"];
    let shebang = source.first_line().strip_prefix("#!");
    let mut words = shebang.unwrap_or("").split([' ', '/']);
    source.path.ends_with(".sh") || words.any(|word| shells.contains(&word))
}

/// A shell script begins with its shell and a comment, and is short.
fn shell(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut head = source.text.lines();
    if !head.next().unwrap_or("").starts_with("#!") {
        let what = "a shell script begins with its shell: #!/bin/sh";
        findings.push(Finding::new(&source.path, 1, what));
    }
    let comment = head.next().unwrap_or("");
    if !comment.starts_with('#') || !comment.contains(char::is_alphabetic) {
        let what = "the second line of a script is a comment that says what it does";
        findings.push(Finding::new(&source.path, 2, what));
    }
    let limit = SHELL_LINES.iter().find(|(prefix, _)| source.path.starts_with(prefix));
    findings.extend(length(source, limit.map_or(0, |(_, limit)| *limit)));
    findings
}

/// A file of udev rules is short, and negates no key that looks upwards: some device on the way
/// nearly always satisfies that, so a guard of that kind turns every device away.
fn udev(source: &Source) -> Vec<Finding> {
    let mut findings = length(source, UDEV_LINES);
    for (index, line) in source.text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'))
    {
        let negated = line.split(',').filter_map(|one| one.trim().split_once("!="));
        let keys = negated.map(|(key, _)| key.split('{').next().unwrap_or(""));
        for key in keys.filter(|key| UPWARDS.contains(key)) {
            let what = format!("{key}!= is satisfied by any device on the way up: use {key}==");
            findings.push(Finding::new(&source.path, index + 1, what));
        }
    }
    findings
}

fn length(source: &Source, limit: usize) -> Vec<Finding> {
    let count = source.text.lines().count();
    if count <= limit {
        return vec![];
    }
    let what = format!("the file has {count} lines, at most {limit}: move the work into Rust");
    vec![Finding::new(&source.path, limit + 1, what)]
}

#[test]
fn shell_scripts_are_short_and_say_what_they_do() {
    let sources = sources().unwrap().iter().filter(|source| !source.is_fixture());
    accept(sources.filter(|source| is_shell(source)).flat_map(shell).collect());
}

#[test]
fn udev_rule_files_are_short() {
    let sources = sources().unwrap().iter().filter(|source| !source.is_fixture());
    accept(sources.filter(|source| source.path.ends_with(".rules")).flat_map(udev).collect());
}

#[test]
fn shells_are_known_by_first_line_or_name() {
    for first in ["#!/bin/sh", "#!/usr/bin/env bash", "#! /bin/dash -e", "#!/usr/bin/ash"] {
        assert!(is_shell(&Source::new("hooks/root", first)), "{first}");
    }
    assert!(is_shell(&Source::new("dracut/module-setup.sh", "")));
    assert!(!is_shell(&Source::new("debian/rules", "#!/usr/bin/make -f")));
    assert!(!is_shell(&Source::new("notes.txt", "sh")));
}

#[test]
fn a_bare_or_long_script_is_found() {
    let bare = Source::new("initramfs/hooks/root", &"true\n".repeat(61));
    assert_eq!(
        lines(&shell(&bare)),
        [
            "initramfs/hooks/root:1: a shell script begins with its shell: #!/bin/sh",
            "initramfs/hooks/root:2: the second line of a script is a comment that says what it \
             does",
            "initramfs/hooks/root:61: the file has 61 lines, at most 60: move the work into Rust",
        ]
    );
    let good = format!("#!/bin/sh\n# Does it.\n{}", "true\n".repeat(58));
    assert_eq!(shell(&Source::new("initramfs/hooks/root", &good)), []);
    assert_eq!(udev(&Source::new("udev-rules/6-x.rules", &"#\n".repeat(26))).len(), 1);
}

#[test]
fn a_guard_that_turns_every_device_away_is_found() {
    let rules = |line: &str| udev(&Source::new("udev-rules/6-x.rules", line));
    let found = rules("ACTION!=\"add\", ATTRS{x}==\"1\"\nSUBSYSTEMS!=\"xen\", GOTO=\"a\"\n");
    let what = "SUBSYSTEMS!= is satisfied by any device on the way up: use SUBSYSTEMS==";
    assert_eq!(lines(&found), [format!("udev-rules/6-x.rules:2: {what}")]);
    assert_eq!(rules("# SUBSYSTEMS!=\"xen\"\nSUBSYSTEM!=\"block\", GOTO=\"end\"\n"), []);
}
