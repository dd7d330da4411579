//! One module of a crate for each foreign crate, so that it can be replaced in one place.
//!
//! A module is a file, or a folder below `src`. What a Cargo.toml lists and nobody imports is
//! found too: a dependency comes with its first use.

use std::collections::BTreeSet;

use crate::finding::{Finding, accept, lines};
use crate::metadata::{Dependency, Package, members, packages};
use crate::syntax::{Kind, Mention};
use crate::tree::{Source, is_below, sources, test_modules};

/// Crate, foreign crate, and why it may be imported by many modules.
const EVERYWHERE: [(&str, &str, &str); 8] = [
    ("xvdguard-linux", "rustix", "system calls are what this crate is for"),
    ("xvdguard-linux", "serde", "files of ours and recordings derive their form"),
    ("xvdguard-logic", "serde", "each type derives its form in recordings"),
    ("xvdguard", "serde", "each document and each part of the configuration derives its form"),
    ("xvdguard", "serde_json", "one program writes the documents, another tells of their schemas"),
    ("xvdguard-tests", "rustix", "each test makes its own devices and mounts"),
    ("xvdguard-tests", "serde_json", "each test reads the documents it is about"),
    ("xvdguard-tests", "tempfile", "each test makes its own directory"),
];

/// Judges the dependencies of one crate by the files below its folder.
fn check(package: &Package, folder: &str, sources: &[Source], tests: &[String]) -> Vec<Finding> {
    let path = format!("{folder}/Cargo.toml");
    let manifest = sources.iter().find(|source| source.path == path);
    let manifest = manifest.map_or("", |source| source.text.as_str());
    let mut findings = Vec::new();
    for dependency in &package.dependencies {
        let is_program = folder != "tests" && dependency.is_normal;
        let mut users = BTreeSet::new();
        for source in sources.iter().filter(|source| source.is_below(folder)) {
            if imports(source, dependency, is_program, tests) {
                users.insert(source.path.as_str());
            }
        }
        let line = line_in_manifest(manifest, &dependency.name);
        if users.is_empty() {
            let what = unused(dependency, is_program);
            findings.push(Finding::new(&path, line, what));
        }
        let judged = dependency.is_normal && !dependency.is_ours;
        let is_free = EVERYWHERE
            .iter()
            .any(|(name, foreign, _)| *name == package.name && *foreign == dependency.name);
        if judged && !is_free && !is_one_module(&users, folder) {
            findings.push(Finding::new(&path, line, scattered(dependency, &users)));
        }
    }
    findings
}

fn unused(dependency: &Dependency, is_program: bool) -> String {
    let way_out = if is_program {
        "remove it until it is used; if only tests use it, it is a dev-dependency"
    } else {
        "remove it until it is used"
    };
    format!("{} is listed but never imported: {way_out}", dependency.name)
}

fn scattered(dependency: &Dependency, users: &BTreeSet<&str>) -> String {
    let users: Vec<&str> = users.iter().copied().collect();
    format!(
        "{} is imported by {} files that share no module: {}. Let one of them wrap it, or give \
         the reason in tests/tidy/imports.rs",
        dependency.name,
        users.len(),
        users.join(", ")
    )
}

/// Whether a file uses a foreign crate; in programs, code that is compiled for tests only does
/// not count.
fn imports(source: &Source, wanted: &Dependency, is_program: bool, tests: &[String]) -> bool {
    let Some(facts) = &source.facts else { return false };
    let names = |mention: &Mention| {
        let counts = !is_program || !(mention.test || source.is_test(tests));
        let is_path = match mention.kind {
            Kind::Import => true,
            // A module of our own may have the name of a crate.
            Kind::Path => !facts.own_names.contains(&wanted.import),
            _ => false,
        };
        counts && is_path && mention.what.split("::").next() == Some(wanted.import.as_str())
    };
    facts.mentions.iter().any(names)
}

/// Whether the files are one file, or lie in one module below the root of their crate.
fn is_one_module(users: &BTreeSet<&str>, folder: &str) -> bool {
    let Some(first) = users.first() else { return true };
    let inside = first.strip_prefix(folder).unwrap_or(first).trim_start_matches('/');
    let inside = inside.strip_prefix("src/").unwrap_or(inside);
    let module = inside.split('/').next().unwrap_or("").trim_end_matches(".rs");
    let top = first.strip_suffix(inside).unwrap_or("");
    let (file, folder) = (format!("{top}{module}.rs"), format!("{top}{module}"));
    users.len() == 1 || users.iter().all(|user| **user == file || is_below(user, &folder))
}

/// The line of a Cargo.toml on which a dependency is listed, 1 where it is not found.
pub fn line_in_manifest(manifest: &str, name: &str) -> usize {
    let lists =
        |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', ' ', '=']));
    manifest.lines().position(lists).map_or(1, |index| index + 1)
}

#[test]
fn each_foreign_crate_has_one_module() {
    let sources = sources().unwrap();
    let tests = test_modules(sources);
    let members = members(packages().unwrap());
    let found = members.flat_map(|(package, folder)| check(package, folder, sources, &tests));
    accept(found.collect());
}

/// Runs the rule on a crate `agent/x` with the foreign crate `tar`.
#[cfg(test)]
fn found_in(is_normal: bool, files: &[(&str, &str)]) -> Vec<String> {
    let tar =
        Dependency { name: "tar".into(), import: "tar".into(), is_normal, ..Dependency::default() };
    let package = Package { name: "x".into(), dependencies: vec![tar], ..Package::default() };
    let mut sources = vec![Source::new("agent/x/Cargo.toml", "[dependencies]\ntar = \"1\"\n")];
    for (path, text) in files {
        sources.push(Source::new(&format!("agent/x/src/{path}"), text));
    }
    lines(&check(&package, "agent/x", &sources, &test_modules(&sources)))
}

#[test]
fn two_modules_with_one_crate_are_found() {
    let found = found_in(true, &[("a.rs", "use tar::Builder;"), ("b.rs", "fn f() { tar::g() }")]);
    assert!(
        found[0]
            .starts_with("agent/x/Cargo.toml:2: tar is imported by 2 files that share no module"),
        "{found:?}"
    );
    assert!(found[0].contains("agent/x/src/a.rs, agent/x/src/b.rs"), "{found:?}");
    let found = found_in(true, &[("lib.rs", "use tar::A;"), ("a/b.rs", "say!(tar::B::new());")]);
    assert_eq!(found.len(), 1);
}

#[test]
fn one_folder_is_one_module() {
    let files = [("a.rs", "use tar::A;"), ("a/b.rs", "use ::tar;"), ("a/c/d.rs", "use tar::*;")];
    assert_eq!(found_in(true, &files), [""; 0]);
}

#[test]
fn a_crate_that_nobody_imports_is_found() {
    let test = ("a.rs", "#[cfg(test)]\nmod tests { use tar::A; }");
    let own = ("b.rs", "use crate::tar;\nfn f() { tar::write() }");
    let found = found_in(true, &[test, own]);
    assert!(found[0].starts_with("agent/x/Cargo.toml:2: tar is listed but never imported"));
    assert_eq!(found_in(false, &[test, own]), [""; 0]);
}
