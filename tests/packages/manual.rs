//! The manual tells of everything that there is: commands, options, keys, rules, fields.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use harness::{program, programs, requires};
use serde_json::Value;
use xvdguard_logic::policy::queue::QueueRule;
use xvdguard_logic::policy::setting::Setting;
use xvdguard_logic::policy::settings::{MountRule, Settings};
use xvdguard_logic::policy::tables::Table;
use xvdguard_logic::{audit, wording};

const LIMIT: Duration = Duration::from_secs(30);

/// Where `make build` left it.
#[track_caller]
pub fn folder() -> Option<PathBuf> {
    Some(requires::built()?.join("manual"))
}

/// A page as text, its escapes undone.
fn page(folder: &Path, name: &str) -> String {
    let text = fs::read_to_string(folder.join("man").join(name)).unwrap();
    text.replace("\\-", "-").replace("\\(aq", "'").replace("\\(dq", "\"")
}

/// What the paragraphs that hang below a term begin with.
fn terms(page: &str) -> BTreeSet<String> {
    let mut terms = BTreeSet::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if line == ".TP" {
            let term = lines.next().unwrap_or_default().trim_start_matches(".B ").trim_matches('"');
            terms.insert(term.to_owned());
        }
    }
    terms
}

#[test]
fn every_page_is_clean() {
    let Some(folder) = folder() else { return };
    let Some(_) = requires::program("groff") else { return };
    let pages: Vec<_> = fs::read_dir(folder.join("man")).unwrap().flatten().collect();
    assert_eq!(pages.len(), 5);
    for page in pages {
        let path = page.path();
        let mut groff = Command::new("groff");
        groff.args(["-man", "-Tutf8", "-ww", "-z"]).arg(&path);
        let ran = programs::run(groff, LIMIT).unwrap();
        assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{}", path.display());
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains('@') || path.ends_with("xvdguard-host.7"), "{}", path.display());
    }
}

#[test]
fn every_key_of_the_configuration_is_told() {
    let Some(folder) = folder() else { return };
    let terms = terms(&page(&folder, "xvdguard.toml.5"));
    let mut keys = Vec::new();
    let mut settings = Settings::default();
    for table in Table::ALL {
        table.visit(&mut settings, &mut |key, _: &mut dyn Setting| keys.push(key.to_owned()));
    }
    QueueRule::default().visit(&mut |key, _: &mut dyn Setting| keys.push(key.to_owned()));
    MountRule::default().visit(&mut |key, _: &mut dyn Setting| keys.push(key.to_owned()));
    for key in keys {
        let start = format!("{key} = ");
        assert!(terms.iter().any(|term| term.starts_with(&start)), "no {key} in {terms:?}");
    }
}

#[test]
fn every_rule_of_check_is_told() {
    let Some(folder) = folder() else { return };
    let text = page(&folder, "xvdguard.8");
    let terms = terms(&text);
    for rule in audit::rules() {
        let start = format!("{} (", rule.id);
        assert!(terms.iter().any(|term| term.starts_with(&start)), "{}", rule.id);
        assert!(text.contains(rule.meaning), "{}", rule.id);
    }
}

/// Those of changes, by the source, and those of what is left alone.
#[test]
fn every_rule_of_plan_is_told() {
    let Some(folder) = folder() else { return };
    let terms = terms(&page(&folder, "xvdguard.8"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/logic/src");
    let (plan, texts) = (format!("{source}/plan"), format!("{source}/wording/plan.rs"));
    let words = ["-rhoE", "--include=*.rs", "rule: \"[a-z0-9-]+\"", &plan];
    let found = program::run("grep", &words).unwrap();
    let changes: BTreeSet<&str> = found.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert!(changes.contains("flush-refused"), "{found}");
    for rule in changes {
        assert!(terms.contains(rule), "{rule}");
    }
    let text = fs::read_to_string(texts).unwrap();
    assert_eq!(text.matches(": Said =").count(), wording::plan::ALL.len());
    for said in wording::plan::ALL {
        let start = format!("{} (", said.rule);
        assert!(terms.iter().any(|term| term.starts_with(&start)), "{}", said.rule);
    }
}

/// `a.b` ends with `b`, `a[].b` too.
#[test]
fn every_field_of_every_document_is_told() {
    let Some(folder) = folder() else { return };
    let terms = terms(&page(&folder, "xvdguard.8"));
    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema");
    for schema in fs::read_dir(schemas).unwrap().flatten() {
        let document: Value = serde_json::from_slice(&fs::read(schema.path()).unwrap()).unwrap();
        let mut names = BTreeSet::new();
        collect(&document, &mut names);
        for name in names {
            let is_it = |term: &String| term.rsplit(['.', ']']).next() == Some(name.as_str());
            assert!(terms.iter().any(is_it), "no {name} of {}", schema.path().display());
        }
    }
}

fn collect(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            let properties = members.get("properties").and_then(Value::as_object);
            names.extend(properties.into_iter().flat_map(|fields| fields.keys().cloned()));
            members.values().for_each(|value| collect(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, names)),
        _ => {}
    }
}

/// The words that clap lists in its help, for each command.
#[test]
fn every_command_is_told_and_completed() {
    let Some(folder) = folder() else { return };
    let text = page(&folder, "xvdguard.8");
    let help = program::run(programs::xvdguard().to_str().unwrap(), &["--help"]).unwrap();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"explain"), "{commands:?}");
    for shell in ["bash/xvdguard", "zsh/_xvdguard", "fish/xvdguard.fish"] {
        let completion = fs::read_to_string(folder.join(shell)).unwrap();
        for command in &commands {
            assert!(completion.contains(command), "{shell}: {command}");
        }
    }
    for command in commands {
        assert!(text.contains(&format!("\n.SS \"{command}")), "{command}");
    }
    let early = page(&folder, "xvdguard-early.8");
    let usage = program::run(programs::early().to_str().unwrap(), &["--help"]).unwrap();
    assert!(early.contains(usage.trim_end()), "{early}");
}

/// Every number that the program's source gives as an exit code, and no other; `check` has a
/// sentence of its own for 0 to 3.
#[test]
fn every_exit_status_is_told() {
    let Some(folder) = folder() else { return };
    let text = page(&folder, "xvdguard.8");
    assert!(text.contains("uses 0 to 3 alone"));
    let section = text.split(".SH ").find(|section| section.starts_with("EXIT STATUS")).unwrap();
    let told = terms(section);
    let mut codes = BTreeSet::from(["0".to_owned(), "1".to_owned()]);
    let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../agent/xvdguard/src"));
    let commands = fs::read_dir(source.join("commands")).unwrap().flatten();
    let commands = commands.map(|file| file.path()).filter(|path| !path.ends_with("check.rs"));
    for path in commands.chain([source.join("exit.rs")]) {
        let source = fs::read_to_string(&path).unwrap();
        let constants = source.lines().filter_map(|line| line.split_once(": u8 = "));
        let constants = constants.filter(|(name, _)| !name.ends_with("UNKNOWN"));
        let arms = source.lines().filter_map(|line| line.split_once(" => "));
        let values = constants.chain(arms).map(|(_, value)| value.trim_end_matches([',', ';']));
        let numbers = values.filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()));
        codes.extend(numbers.filter(|value| !value.is_empty()).map(str::to_owned));
    }
    assert_eq!(told, codes);
    assert!(codes.contains("78") && codes.contains("10"), "{codes:?}");
}

/// What is written to xenstore and read there, by the names in the source.
#[test]
fn the_administrator_of_the_host_is_told_every_key() {
    let Some(folder) = folder() else { return };
    let text = page(&folder, "xvdguard-host.7").replace("\n.IR ", " ");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../agent");
    let words = ["-rhoE", "--include=*.rs", ": &str = \"data/xvdguard/[a-z]+\"", source];
    let found = program::run("grep", &words).unwrap();
    let keys: BTreeSet<&str> = found.lines().filter_map(|line| line.split('"').nth(1)).collect();
    assert_eq!(keys, BTreeSet::from(["data/xvdguard/alert", "data/xvdguard/hold"]));
    for key in keys {
        assert!(text.contains(key), "{key}");
    }
    let heals = text.split(".SS ").find(|part| part.starts_with("What heals a flush"));
    for way in ["Detach and attach the disk", "migrate the guest", "restart it"] {
        assert!(heals.is_some_and(|part| part.contains(way)), "{way}: {text}");
    }
    for word in ["on_reboot", "on_crash"] {
        assert!(text.contains(word), "{word}");
    }
}
