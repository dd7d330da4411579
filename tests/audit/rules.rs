//! Each rule, on the fixtures that are called after it: `fires*.txt` and `silent*.txt`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use harness::recordings;
use serde_json::Value;

use crate::checked;
use crate::fixture::{self, Fixture};

/// The rules that the program has.
fn rules() -> BTreeSet<String> {
    let output = checked::run(Path::new("/"), &["check", "--rules"]);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|why| panic!("{folder:?}: {why}"));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The cases of a rule whose names begin so.
fn cases(rule: &str, start: &str) -> Vec<PathBuf> {
    let folder = fixture::folder().join("rules").join(rule);
    let mut names = if folder.exists() { names(&folder) } else { Vec::new() };
    names.retain(|name| name.starts_with(start));
    names.sort();
    names.into_iter().map(|name| folder.join(name)).collect()
}

fn findings_of(rule: &str, document: &Value) -> Vec<Value> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings.filter(|finding| finding["rule"] == rule).cloned().collect()
}

#[test]
fn every_rule_has_a_guest_that_it_is_about_and_one_that_it_is_not() {
    let rules = rules();
    assert!(rules.len() >= 20, "{rules:?}");
    for rule in &rules {
        for start in ["fires", "silent"] {
            assert!(!cases(rule, start).is_empty(), "{rule} has no {start}.txt");
        }
    }
    let folders: BTreeSet<String> = names(&fixture::folder().join("rules")).into_iter().collect();
    let strangers: Vec<_> = folders.difference(&rules).collect();
    assert!(strangers.is_empty(), "fixtures of no rule: {strangers:?}");
}

/// What is wrong with what a rule found.
fn flaws(rule: &str, path: &Path) -> Vec<String> {
    let fixture = Fixture::read(path);
    let document = checked::document(fixture.expand().path());
    let found = findings_of(rule, &document);
    let places: Vec<&str> = found.iter().map(|one| one["where"].as_str().unwrap()).collect();
    let mut flaws = Vec::new();
    if places != fixture.places {
        flaws.push(format!("{path:?}: found at {places:?}, not at {:?}", fixture.places));
    }
    let says = |one: &Value, key: &str, words: &str| one[key].as_str().unwrap().contains(words);
    for words in &fixture.says {
        if !found.iter().any(|one| says(one, "text", words) || says(one, "remedy", words)) {
            flaws.push(format!("{path:?}: nothing says {words:?}: {found:#?}"));
        }
    }
    flaws
}

#[test]
fn every_rule_finds_what_it_is_about_at_the_right_place() {
    let mut wrong = Vec::new();
    for rule in rules() {
        for path in cases(&rule, "fires") {
            wrong.extend(flaws(&rule, &path));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_recording_of_a_guest_gives_the_same_findings() {
    for rule in rules() {
        for path in cases(&rule, "fires") {
            let guest = Fixture::read(&path).expand();
            let folder = tempfile::tempdir().unwrap();
            let archive = folder.path().join("recording.tar");
            let output = checked::run(guest.path(), &["record", "-o", archive.to_str().unwrap()]);
            assert!(output.status.success(), "{path:?}: {output:?}");
            let recording = recordings::unpack_file(&archive).unwrap();
            let [found, again] =
                [&guest, &recording].map(|root| checked::document(root.path())["findings"].take());
            assert_eq!(found, again, "{path:?}");
        }
    }
}

#[test]
fn no_rule_finds_what_it_is_not_about() {
    for rule in rules() {
        for path in cases(&rule, "silent") {
            let document = checked::document(Fixture::read(&path).expand().path());
            assert_eq!(findings_of(&rule, &document), [] as [Value; 0], "{path:?}");
        }
    }
}
