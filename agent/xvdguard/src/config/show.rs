//! The settings in force, as TOML with the origin of each, and as a part of a document.
//!
//! What is printed is a configuration again: read back, it gives the same settings.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::Serialize;
use xvdguard_logic::order;
use xvdguard_logic::policy::Origin;
use xvdguard_logic::policy::setting::{Setting, Value};
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::policy::tables::{Table, Visit};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::config::{self as wording, QUEUE_HEADER};

/// Where origins begin; behind a longer line, one space.
const ORIGIN_COLUMN: usize = 44;

/// As TOML.
pub fn toml(settings: &Settings) -> String {
    let mut shown = settings.clone();
    let mut text = String::new();
    for table in Table::ALL {
        begin(&mut text, &wording::header(table.name()));
        table.visit(&mut shown, &mut |key, setting| line(&mut text, key, setting));
        match table {
            Table::Barrier => queue(&mut text, &mut shown),
            Table::Recovery => mounts(&mut text, &mut shown),
            Table::Reboot | Table::Daemon => {}
        }
    }
    text
}

fn queue(text: &mut String, shown: &mut Settings) {
    for rule in &mut shown.policy.queue {
        begin(text, QUEUE_HEADER);
        rule.visit(&mut |key, setting| line(text, key, setting));
    }
}

fn mounts(text: &mut String, shown: &mut Settings) {
    for (point, rule) in &mut shown.recovery.mounts {
        begin(text, &wording::mount_header(&literal(&point.to_string())));
        rule.visit(&mut |key, setting| line(text, key, setting));
    }
}

fn begin(text: &mut String, header: &str) {
    let gap = if text.is_empty() { "" } else { "\n" };
    let _ = writeln!(text, "{gap}{header}");
}

fn line(text: &mut String, key: &str, setting: &mut dyn Setting) {
    let Some(value) = setting.value() else { return };
    let assignment = format!("{key} = {}", value_text(&value));
    let _ = writeln!(text, "{assignment:ORIGIN_COLUMN$} # {}", setting.origin());
}

fn value_text(value: &Value) -> String {
    match value {
        Value::Text(text) => literal(text),
        Value::Number(number) => number.to_string(),
        Value::Flag(flag) => flag.to_string(),
        Value::List(list) => {
            let elements: Vec<String> = list.iter().map(value_text).collect();
            format!("[{}]", elements.join(", "))
        }
        Value::Other(name) => (*name).into(),
    }
}

/// A text in quotes; what a terminal could obey is written as TOML escapes it.
fn literal(text: &str) -> String {
    let mut shown = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => shown.extend(['\\', character]),
            ' '..='~' => shown.push(character),
            _ if character.is_alphanumeric() => shown.push(character),
            _ => {
                let _ = write!(shown, "\\U{:08x}", u32::from(character));
            }
        }
    }
    shown + "\""
}

/// The part `values` of the document.
#[derive(Debug, Serialize)]
pub struct Values {
    barrier: Entries,
    queue: Vec<Entries>,
    recovery: WithMounts,
    reboot: Entries,
    daemon: Entries,
}

type Entries = BTreeMap<&'static str, Entry>;

#[derive(Debug, Serialize)]
struct WithMounts {
    #[serde(flatten)]
    entries: Entries,
    mount: BTreeMap<Text, Entries>,
}

#[derive(Debug, Serialize)]
struct Entry {
    value: Option<Plain>,
    origin: ShownOrigin,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Plain {
    Text(Text),
    Number(i64),
    Flag(bool),
    List(Vec<Plain>),
}

#[derive(Debug, Serialize)]
struct ShownOrigin {
    kind: &'static str,
    file: Option<Text>,
    line: Option<usize>,
    word: Option<Text>,
}

impl Values {
    /// What is in force.
    pub fn of(settings: &Settings) -> Self {
        let shown = &mut settings.clone();
        let mut table = |table: Table| entries(|each| table.visit(shown, each));
        let (barrier, recovery) = (table(Table::Barrier), table(Table::Recovery));
        let (reboot, daemon) = (table(Table::Reboot), table(Table::Daemon));
        let rules = shown.policy.queue.iter_mut();
        let queue = rules.map(|rule| entries(|each| rule.visit(each))).collect();
        let mounts = shown.recovery.mounts.iter_mut();
        let mount = order::gather(
            mounts.map(|(point, rule)| (point.clone(), entries(|each| rule.visit(each)))),
        );
        Values { barrier, queue, recovery: WithMounts { entries: recovery, mount }, reboot, daemon }
    }
}

fn entries(visit: impl FnOnce(&mut Visit<'_>)) -> Entries {
    let mut entries = Entries::new();
    visit(&mut |key, setting| {
        let value = setting.value().and_then(plain);
        entries.insert(key, Entry { value, origin: origin(setting.origin()) });
    });
    entries
}

fn plain(value: Value) -> Option<Plain> {
    Some(match value {
        Value::Text(text) => Plain::Text(Text::from(text)),
        Value::Number(number) => Plain::Number(number),
        Value::Flag(flag) => Plain::Flag(flag),
        Value::List(list) => Plain::List(list.into_iter().filter_map(plain).collect()),
        Value::Other(_) => return None,
    })
}

fn origin(origin: Origin) -> ShownOrigin {
    let of = |kind| ShownOrigin { kind, file: None, line: None, word: None };
    match origin {
        Origin::Default => of("default"),
        Origin::File { name, line } => {
            ShownOrigin { file: Some(name), line: Some(line), ..of("file") }
        }
        Origin::FrozenPolicy => of("frozen-policy"),
        Origin::KernelWord(word) => ShownOrigin { word: Some(word), ..of("kernel-word") },
    }
}
