//! No package stands in the graph in two versions, but for the reasons given in deny.toml.
//!
//! What the programs contain is told apart from what only tests and the compiler use: a double
//! there costs minutes, a double in a program costs bytes in every boot image.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::{Finding, accept, lines};
use crate::metadata::{Dependency, Package, line_in_lock, members, packages};
use crate::policy::{FILE, Policy, Skip};
use crate::tree::sources;

/// The packages by their name.
type ByName<'a> = BTreeMap<&'a str, Vec<&'a Package>>;

/// Every double without an exception, and every exception that is none.
fn check(packages: &[Package], skips: &[Skip], lock: &str) -> Vec<Finding> {
    let shipped = shipped(packages);
    let doubles = doubles(packages);
    let mut findings = Vec::new();
    for double in doubles.values() {
        let open: Vec<_> =
            double.iter().filter(|one| !skips.iter().any(|s| s.covers(one))).collect();
        if open.len() > 1 {
            let inside = open.iter().filter(|one| shipped.contains(one.id.as_str())).count();
            let whose = if inside > 1 { "the programs" } else { "tests and building" };
            let versions: Vec<&str> = open.iter().map(|one| one.version.as_str()).collect();
            let what = format!(
                "{} is there as {} for {whose}: update what asks for the older one, or add it to \
                 skip in {FILE} with reason and date",
                open[0].name,
                versions.join(" and ")
            );
            findings.push(Finding::new("Cargo.lock", line_in_lock(lock, open[0]), what));
        }
    }
    for skip in skips {
        let what = wrong_with(skip, &doubles);
        findings.extend(what.map(|what| Finding::new(FILE, skip.line, what)));
    }
    findings
}

fn wrong_with(skip: &Skip, doubles: &ByName) -> Option<String> {
    if !doubles.values().flatten().any(|package| skip.covers(package)) {
        return Some(format!("{} stands beside no other version: remove the skip", skip.spec));
    }
    let date = |word: &str| {
        let digits = word.trim_matches(|c: char| !c.is_ascii_digit()).split('-');
        digits.map(str::len).eq([4, 2, 2])
    };
    let is_dated = skip.reason.split_whitespace().any(date);
    let words = skip.reason.split_whitespace().count();
    (!is_dated || words < 4)
        .then(|| format!("the skip of {} needs a reason with its date (2026-01-31)", skip.spec))
}

fn doubles(packages: &[Package]) -> ByName<'_> {
    let mut names = ByName::new();
    for package in packages {
        names.entry(&package.name).or_default().push(package);
    }
    names.retain(|_, versions| versions.len() > 1);
    names
}

/// No dependency takes whatever version comes.
fn wildcards(packages: &[Package]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, folder) in members(packages) {
        let foreign = package.dependencies.iter().filter(|dependency| !dependency.is_ours);
        for dependency in foreign.filter(|dependency| dependency.versions.contains('*')) {
            let what = format!("{} takes any version: name the one it needs", dependency.name);
            findings.push(Finding::new(&format!("{folder}/Cargo.toml"), 1, what));
        }
    }
    findings
}

/// What ends up in the programs: all that their crates need, but for what runs in the compiler.
fn shipped(packages: &[Package]) -> BTreeSet<&str> {
    let programs = members(packages).filter(|(_, folder)| *folder != "tests");
    let mut open: Vec<&str> = programs.map(|(package, _)| package.id.as_str()).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        let package = packages.iter().find(|package| package.id == id && !package.is_macro);
        if let Some(package) = package.filter(|_| seen.insert(id)) {
            let edges = package.edges.iter().filter(|(_, is_normal)| *is_normal);
            open.extend(edges.map(|(id, _)| id.as_str()));
        }
    }
    seen
}

#[test]
fn no_package_is_there_twice() {
    let sources = sources().unwrap();
    let lock = sources.iter().find(|source| source.path == "Cargo.lock").unwrap();
    let policy = Policy::of(sources).unwrap();
    accept(check(packages().unwrap(), &policy.skips, &lock.text));
}

#[test]
fn each_dependency_names_its_version() {
    accept(wildcards(packages().unwrap()));
}

/// A program that needs `a` 1 and, by way of `b`, `a` 2 in the way that is given.
#[cfg(test)]
fn graph(is_normal: bool, is_macro: bool) -> Vec<Package> {
    let package = |id: &str, edges: &[(&str, bool)]| Package {
        id: id.into(),
        name: id[..1].into(),
        version: format!("{}.0.0", &id[1..]),
        edges: edges.iter().map(|(id, is_normal)| ((*id).into(), *is_normal)).collect(),
        ..Package::default()
    };
    let program = package("p1", &[("a1", true), ("b1", is_normal)]);
    vec![
        Package { folder: Some("agent/p".into()), ..program },
        package("a1", &[]),
        package("a2", &[]),
        Package { is_macro, ..package("b1", &[("a2", true)]) },
    ]
}

#[test]
fn a_double_is_found_with_its_place_in_the_graph() {
    for (is_normal, is_macro, whose) in [
        (true, false, "for the programs"),
        (false, false, "for tests and building"),
        (true, true, "for tests and building"),
    ] {
        let found = lines(&check(&graph(is_normal, is_macro), &[], ""));
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("a is there as 1.0.0 and 2.0.0"), "{found:?}");
        assert!(found[0].contains(whose), "{found:?}");
    }
}

#[test]
fn a_skip_needs_a_double_a_reason_and_a_date() {
    let judged = |spec: &str, reason: &str| {
        let skip = Skip { spec: spec.into(), reason: reason.into(), line: 5 };
        lines(&check(&graph(true, false), &[skip], ""))
    };
    assert_eq!(judged("a:1", "b has not moved yet (2026-01-31)"), [""; 0]);
    assert_eq!(
        judged("a:1", "b has not moved yet"),
        ["deny.toml:5: the skip of a:1 needs a reason with its date (2026-01-31)"]
    );
    let found = judged("b:1", "b has not moved yet (2026-01-31)");
    assert_eq!(found[1], "deny.toml:5: b:1 stands beside no other version: remove the skip");
}

#[test]
fn a_dependency_on_any_version_is_found() {
    let judged = |is_ours: bool, versions: &str| {
        let (name, versions) = ("a".to_owned(), versions.to_owned());
        let dependency = Dependency { name, versions, is_ours, ..Dependency::default() };
        let dependencies = vec![dependency];
        let folder = Some("tests".to_owned());
        lines(&wildcards(&[Package { folder, dependencies, ..Package::default() }]))
    };
    assert_eq!(
        judged(false, "*"),
        ["tests/Cargo.toml:1: a takes any version: name the one it needs"]
    );
    assert_eq!(judged(true, "*"), [""; 0]);
    assert_eq!(judged(false, "^1.2"), [""; 0]);
}
