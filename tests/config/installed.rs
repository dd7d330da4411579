//! The file that is installed: every key as a comment, with its default, and what it takes.

use std::collections::BTreeMap;

use serde_json::Value;
use xvdguard_logic::policy::queue::QueueRule;
use xvdguard_logic::policy::setting::Setting;
use xvdguard_logic::policy::settings::{MountRule, Settings};
use xvdguard_logic::policy::tables::Table;

use crate::setup::Machine;

const INSTALLED: &str = include_str!("../../packaging/config.toml");

/// Removes the "#" in front of keys and headers; sentences have a space behind theirs.
fn uncommented() -> String {
    let key = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
    let lines = INSTALLED.lines().map(|line| line.strip_prefix('#').filter(key).unwrap_or(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// Each key, as `table.key`, with what it takes.
fn known() -> BTreeMap<String, String> {
    let mut known = BTreeMap::new();
    let mut note = |table: &str, key: &str, setting: &mut dyn Setting| {
        known.insert(format!("{table}.{key}"), setting.takes());
    };
    let mut settings = Settings::default();
    for table in Table::ALL {
        table.visit(&mut settings, &mut |key, setting| note(table.name(), key, setting));
    }
    QueueRule::default().visit(&mut |key, setting| note("queue", key, setting));
    MountRule::default().visit(&mut |key, setting| note("mount", key, setting));
    known
}

#[test]
fn as_it_is_installed_it_changes_nothing() {
    assert_eq!(Machine::configured(INSTALLED).values(), Machine::with(&[]).values());
}

#[test]
fn every_key_stands_in_it_once_below_what_it_takes() {
    let known = known();
    let mut seen = BTreeMap::new();
    let (mut table, mut comment) = (String::new(), String::new());
    for line in INSTALLED.lines() {
        let bare = line.trim_start_matches('#');
        if bare.starts_with('[') {
            let name = bare.trim_matches(['[', ']']);
            table = if name.contains("mount") { "mount" } else { name }.into();
        } else if let Some((key, _)) = bare.split_once(" = ").filter(|_| line.starts_with('#')) {
            let path = format!("{table}.{key}");
            let takes = known.get(&path).unwrap_or_else(|| panic!("nothing knows {path}"));
            let sentence = format!("\n# Takes {takes}.\n");
            assert!(comment.ends_with(&sentence), "{path}: {comment}\n{sentence}");
            assert_ne!(comment, sentence, "{path}: not a sentence on what it does");
            assert_eq!(seen.insert(path.clone(), ()), None, "{path} stands there twice");
        }
        comment = if line.starts_with("# ") { comment + line + "\n" } else { "\n".into() };
    }
    let missing: Vec<_> = known.keys().filter(|path| !seen.contains_key(*path)).collect();
    assert_eq!(missing, [""; 0], "not in packaging/config.toml");
}

#[test]
fn with_every_key_in_force_it_is_right_and_its_values_are_the_defaults() {
    let machine = Machine::configured(&uncommented());
    let values = machine.values();
    let defaults = Machine::with(&[]).values();
    let mut compared = 0;
    for table in Table::ALL {
        for (key, default) in defaults[table.name()].as_object().unwrap() {
            let found = &values[table.name()][key];
            if key == "mount" {
                continue;
            }
            assert_eq!(found["value"], default["value"], "[{}] {key}", table.name());
            assert_eq!(found["origin"]["kind"], "file", "[{}] {key}", table.name());
            compared += 1;
        }
    }
    // What has no default has an example.
    let (entry, mount) = (&values["queue"][0], &values["recovery"]["mount"]["/srv"]);
    for (key, setting) in entry.as_object().unwrap().iter().chain(mount.as_object().unwrap()) {
        assert_eq!(setting["origin"]["kind"], "file", "{key}");
        assert_ne!(setting["value"], Value::Null, "{key}");
        compared += 1;
    }
    for pattern in ["match", "backend", "params"] {
        assert_eq!(entry[pattern]["value"], "*");
    }
    assert_eq!(
        (&mount["action"]["value"], &mount["shared"]["value"]),
        (&"recover".into(), &false.into())
    );
    assert_eq!(compared, known().len());
}
