//! The fields of the JSON documents, from their schemas (`docs/schema/`, JSON Schema 2020-12).

use std::collections::BTreeMap;
use std::io::{Error, Result};

use serde_json::Value;

use crate::roff;

macro_rules! schema {
    ($name:literal) => {
        ($name, include_str!(concat!("../../../../docs/schema/", $name)))
    };
}

const SCHEMAS: [(&str, &str); 11] = [
    schema!("status.json"),
    schema!("check.json"),
    schema!("plan.json"),
    schema!("probe.json"),
    schema!("explain.json"),
    schema!("config.json"),
    schema!("early-report.json"),
    schema!("probe-report.json"),
    schema!("edits.json"),
    schema!("incident.json"),
    schema!("replay.json"),
];

/// A section for each document, with each field once.
pub fn sections() -> Result<String> {
    let mut schemas = BTreeMap::new();
    for (name, text) in SCHEMAS {
        schemas.insert(name, serde_json::from_str::<Value>(text).map_err(Error::other)?);
    }
    Ok(SCHEMAS.iter().map(|(name, _)| section(name, &schemas)).collect())
}

fn section(name: &str, schemas: &BTreeMap<&str, Value>) -> String {
    let schema = &schemas[name];
    let word = |key: &str| schema[key].as_str().unwrap_or_default();
    let mut content = roff::text(word("description"));
    fields(&Place { path: String::new(), file: name, schemas }, schema, &mut content);
    roff::section(word("title"), &content)
}

/// Where in which document a field is.
struct Place<'a> {
    path: String,
    file: &'a str,
    schemas: &'a BTreeMap<&'a str, Value>,
}

fn fields(at: &Place<'_>, schema: &Value, page: &mut String) {
    let (file, schema) = resolved(at, schema);
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let dot = if at.path.is_empty() { "" } else { "." };
        let place = Place { path: format!("{}{dot}{name}", at.path), file, schemas: at.schemas };
        let (_, what) = resolved(&place, field);
        let about = field["description"].as_str().or(what["description"].as_str());
        *page += &roff::item(&place.path, &format!("{}{}", about.unwrap_or_default(), takes(what)));
        fields(&place, field, page);
    }
    for (key, end) in [("items", "[]"), ("additionalProperties", ".NAME")] {
        let place = Place { path: format!("{}{end}", at.path), file, schemas: at.schemas };
        if schema[key].is_object() {
            fields(&place, &schema[key], page);
        }
    }
    for one in
        ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten()
    {
        fields(&Place { path: at.path.clone(), file, schemas: at.schemas }, one, page);
    }
}

/// What a reference leads to, and the file that it is in.
fn resolved<'a>(at: &Place<'a>, schema: &'a Value) -> (&'a str, &'a Value) {
    let Some(reference) = schema["$ref"].as_str() else { return (at.file, schema) };
    let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
    let file = if file.is_empty() { at.file } else { file };
    let target = at.schemas.get(file).and_then(|document| document.pointer(pointer));
    (file, target.unwrap_or(schema))
}

/// The values that a field may have, where there are few.
fn takes(schema: &Value) -> String {
    let words: Vec<String> = match &schema["enum"] {
        Value::Array(values) => values.iter().map(ToString::to_string).collect(),
        _ => return String::new(),
    };
    format!(" One of {}.", words.join(", "))
}
