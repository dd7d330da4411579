//! Every package in the graph may be taken under a licence that deny.toml allows.

use crate::finding::{Finding, accept, lines};
use crate::metadata::{Package, line_in_lock, packages};
use crate::policy::Policy;
use crate::spdx::Licence;
use crate::tree::sources;

fn check(packages: &[Package], allowed: &[String], lock: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in packages {
        if let Err(why) = judge(package.licence.as_deref(), allowed) {
            let what = format!("{} {} {why}", package.name, package.version);
            findings.push(Finding::new("Cargo.lock", line_in_lock(lock, package), what));
        }
    }
    findings
}

fn judge(licence: Option<&str>, allowed: &[String]) -> Result<(), String> {
    let text = licence.ok_or("states no licence: read its files, or do without it")?;
    let licence =
        Licence::read(text).map_err(|why| format!("has the licence \"{text}\": {why}"))?;
    if licence.is_met(allowed) {
        return Ok(());
    }
    Err(format!("has the licence {text}: allow it in deny.toml if we can, or do without it"))
}

#[test]
fn every_licence_is_allowed() {
    let sources = sources().unwrap();
    let lock = sources.iter().find(|source| source.path == "Cargo.lock").unwrap();
    let policy = Policy::of(sources).unwrap();
    accept(check(packages().unwrap(), &policy.licences, &lock.text));
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    let package = |name: &str, licence: Option<&str>| Package {
        name: name.into(),
        version: "1.0.0".into(),
        licence: licence.map(str::to_owned),
        ..Package::default()
    };
    let packages = [
        package("good", Some("MIT OR GPL-3.0")),
        package("bad", Some("GPL-3.0")),
        package("none", None),
        package("broken", Some("MIT OR")),
    ];
    let lock = "name = \"good\"\nversion = \"1.0.0\"\nname = \"bad\"\nversion = \"1.0.0\"\n";
    let found = lines(&check(&packages, &["MIT".to_owned()], lock));
    assert_eq!(found.len(), 3);
    assert!(found[0].starts_with("Cargo.lock:3: bad 1.0.0 has the licence GPL-3.0: allow it"));
    assert!(found[1].contains("none 1.0.0 states no licence"));
    assert!(found[2].contains("broken 1.0.0 has the licence \"MIT OR\": a licence is missing"));
}
