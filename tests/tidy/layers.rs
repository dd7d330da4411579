//! Who may depend on whom: the programs on `linux` and `logic`, `linux` on `logic`, `logic` on
//! nobody, and `logic` not on the standard library either.
//!
//! So the decisions stay without I/O, clock and chance, and every test can replay them.

use crate::finding::{Finding, accept, lines};
use crate::imports::line_in_manifest;
use crate::metadata::{Package, members, packages};
use crate::syntax::Kind;
use crate::tree::{Source, sources, test_modules};

/// Each crate of the workspace, and the crates of the workspace that it may name.
const LAYERS: [(&str, &[&str]); 5] = [
    ("xvdguard-logic", &[]),
    ("xvdguard-linux", &["xvdguard-logic"]),
    ("xvdguard", &["xvdguard-linux", "xvdguard-logic"]),
    ("xvdguard-early", &["xvdguard-linux", "xvdguard-logic"]),
    ("xvdguard-tests", &["xvdguard-linux", "xvdguard-logic"]),
];

/// The crate without I/O.
const PURE: &str = "agent/logic/src";

/// No crate points upwards, in whatever section of its Cargo.toml.
fn crates(packages: &[Package], manifest: impl Fn(&str) -> String) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, folder) in members(packages) {
        let path = format!("{folder}/Cargo.toml");
        let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == package.name) else {
            let what =
                format!("{} has no layer: give it one in tests/tidy/layers.rs", package.name);
            findings.push(Finding::new(&path, 1, what));
            continue;
        };
        let ours = package.dependencies.iter().filter(|dependency| dependency.is_ours);
        for dependency in ours.filter(|dependency| !below.contains(&dependency.name.as_str())) {
            let line = line_in_manifest(&manifest(&path), &dependency.name);
            let what = format!(
                "{} may not depend on {}: move what it needs down, or pass it in as a value",
                package.name, dependency.name
            );
            findings.push(Finding::new(&path, line, what));
        }
    }
    findings
}

/// The pure crate declares `#![no_std]`.
fn declares_no_std(root: &Source) -> Vec<Finding> {
    let facts = root.facts.iter();
    let mut attributes = facts.flat_map(|f| &f.mentions).filter(|m| m.kind == Kind::Attribute);
    if attributes.any(|attribute| attribute.what == "no_std") {
        return vec![];
    }
    vec![Finding::new(&root.path, 1, "the pure crate has to declare #![no_std]")]
}

/// The pure crate names the standard library in tests only.
fn names_std(source: &Source) -> Vec<Finding> {
    let Some(facts) = &source.facts else { return vec![] };
    let mut findings = Vec::new();
    for mention in facts.mentions.iter().filter(|mention| !mention.test) {
        let is_path = matches!(mention.kind, Kind::Path | Kind::Import);
        if is_path && (mention.what == "std" || mention.what.starts_with("std::")) {
            let what = format!("{} in the pure crate: use core or alloc", mention.what);
            findings.push(Finding::new(&source.path, mention.line, what));
        }
    }
    findings
}

#[test]
fn no_crate_points_upwards() {
    let sources = sources().unwrap();
    let manifest = |path: &str| {
        let found = sources.iter().find(|source| source.path == path);
        found.map_or(String::new(), |source| source.text.clone())
    };
    accept(crates(packages().unwrap(), manifest));
}

#[test]
fn the_pure_crate_knows_no_standard_library() {
    let sources = sources().unwrap();
    let tests = test_modules(sources);
    let pure = sources.iter().filter(|source| source.is_below(PURE) && !source.is_test(&tests));
    let root = pure.clone().filter(|source| source.path == format!("{PURE}/lib.rs"));
    accept(root.flat_map(declares_no_std).chain(pure.flat_map(names_std)).collect());
}

#[test]
fn a_crate_that_points_upwards_is_found() {
    let dependency = crate::metadata::Dependency {
        name: "xvdguard-linux".into(),
        is_ours: true,
        ..Default::default()
    };
    let package = |name: &str| Package {
        name: name.into(),
        folder: Some("agent/x".into()),
        dependencies: vec![dependency.clone()],
        ..Package::default()
    };
    let manifest = |_: &str| "[dependencies]\nxvdguard-linux.workspace = true\n".to_owned();
    let found = lines(&crates(&[package("xvdguard-logic"), package("new")], manifest));
    assert!(found[0].starts_with("agent/x/Cargo.toml:2: xvdguard-logic may not depend on"));
    assert!(found[1].starts_with("agent/x/Cargo.toml:1: new has no layer"));
    assert_eq!(crates(&[package("xvdguard")], manifest), []);
}

#[test]
fn the_standard_library_in_the_pure_crate_is_found() {
    let text = "//! Pure.\nuse std::fs;\nfn f() { say!(std::env::var(\"A\")); }\n\
                #[cfg(test)]\nextern crate std;\n#[cfg(test)]\nmod tests { use std::vec; }\n";
    let source = Source::new("agent/logic/src/lib.rs", text);
    assert_eq!(
        lines(&names_std(&source)),
        [
            "agent/logic/src/lib.rs:2: std::fs in the pure crate: use core or alloc",
            "agent/logic/src/lib.rs:3: std::env::var in the pure crate: use core or alloc",
        ]
    );
    assert_eq!(declares_no_std(&source).len(), 1);
    assert_eq!(declares_no_std(&Source::new("lib.rs", "//! Pure.\n#![no_std]\n")), []);
    assert_eq!(names_std(&Source::new("a.rs", "extern crate std;")).len(), 1);
}
