//! What the tests of a target share: a guest to probe, and what a run said about it.

use harness::guest::Guest;
use harness::programs::Ran;
use serde_json::Value;

/// The document that a run printed.
pub fn document(ran: &Ran) -> Value {
    serde_json::from_slice(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
}

/// `xvdguard --json probe` with further words, and its document.
pub fn probe(guest: &Guest, words: &[&str]) -> (Ran, Value) {
    let ran = guest.xvdguard(&[&["--json", "probe"], words].concat()).unwrap();
    let document = document(&ran);
    (ran, document)
}

/// What a document says about one disk.
pub fn disk<'a>(document: &'a Value, name: &str) -> &'a Value {
    let disks = document["disks"].as_array().unwrap();
    let found = disks.iter().find(|disk| disk["name"] == name);
    found.unwrap_or_else(|| panic!("no disk {name} in {document:#}"))
}

/// The verdict of one disk, and why.
pub fn verdict<'a>(document: &'a Value, name: &str) -> (&'a str, &'a str) {
    let disk = disk(document, name);
    (disk["verdict"].as_str().unwrap(), disk["reason"].as_str().unwrap())
}

/// Whether one piece of a disk's evidence comes from `source` and holds `part`.
pub fn has_evidence(document: &Value, name: &str, source: &str, part: &str) -> bool {
    let evidence = disk(document, name)["evidence"].as_array().unwrap();
    evidence.iter().any(|one| {
        one["source"] == source && one["text"].as_str().is_some_and(|text| text.contains(part))
    })
}
