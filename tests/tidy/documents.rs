//! The files that a repository of ours has, what no file names, and the texts of `make help`.

use crate::finding::{Finding, accept, lines};
use crate::tree::{Source, list, sources};

/// What everybody looks for first.
const WANTED: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
];

/// Words that no file contains, in two parts so that this one does not, and why.
const FORBIDDEN: [(&str, &str, &str); 6] = [
    ("crates", ".io", HOST),
    ("pypi", ".org", HOST),
    ("registry.npm", "js.org", HOST),
    ("deb.deb", "ian.org", HOST),
    ("index.cra", "tes.io", HOST),
    ("../sha", "red", OUTSIDE),
];
const HOST: &str = "a package host: tools know where packages come from, the repository does not";
const OUTSIDE: &str = "a place outside the repository: it speaks of itself only";

/// Which of the wanted files are not there.
fn absent(paths: &[&str]) -> Vec<Finding> {
    let missing = WANTED.iter().filter(|name| !paths.contains(name));
    missing.map(|name| Finding::new(name, 1, "the file is missing: write it")).collect()
}

/// Where a file names what no file names; where packages came from is cargo's to say in its lock.
fn forbidden(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let line = line.to_lowercase();
        if source.path == "Cargo.lock" && line.starts_with("source = \"registry+") {
            continue;
        }
        for (start, end, why) in FORBIDDEN {
            if line.contains(&format!("{start}{end}")) {
                let what = format!("names {start}{end}, {why}");
                findings.push(Finding::new(&source.path, index + 1, what));
            }
        }
    }
    findings
}

/// The targets of the Makefile that `make help` does not explain.
fn unexplained(makefile: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in makefile.lines().enumerate() {
        let Some((target, rest)) = line.split_once(':') else { continue };
        let is_target = !line.starts_with(['\t', '#', '.']) && !target.contains('=');
        if is_target && !rest.starts_with('=') && !rest.contains("## ") {
            let what =
                format!("target {target} has no text for `make help`: add \"## what it does\"");
            findings.push(Finding::new("Makefile", index + 1, what));
        }
    }
    findings
}

#[test]
fn the_files_everybody_looks_for_are_there() {
    let paths: Vec<&str> = sources().unwrap().iter().map(|source| source.path.as_str()).collect();
    accept(absent(&paths));
}

#[test]
fn no_file_names_what_is_outside() {
    accept(sources().unwrap().iter().flat_map(forbidden).collect());
}

#[test]
fn the_lock_file_is_committed() {
    assert_eq!(list(&["--", "Cargo.lock"]).unwrap(), ["Cargo.lock"], "git add Cargo.lock");
}

#[test]
fn every_target_of_make_is_explained() {
    let makefile = sources().unwrap().iter().find(|source| source.path == "Makefile");
    accept(unexplained(&makefile.expect("the Makefile is missing").text));
}

#[test]
fn a_missing_document_is_found() {
    let found = lines(&absent(&["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"]));
    assert_eq!(
        found,
        [
            "ARCHITECTURE.md:1: the file is missing: write it",
            "CONTRIBUTING.md:1: the file is missing: write it",
        ]
    );
}

#[test]
fn a_forbidden_word_is_found_but_not_in_the_lock() {
    for (start, end, why) in FORBIDDEN {
        let text = format!("a\nsource = \"registry+https://{}{end}/x\"\n", start.to_uppercase());
        let found = lines(&forbidden(&Source::new("README.md", &text)));
        assert!(found[0].starts_with("README.md:2: names "), "{found:?}");
        assert!(found[0].ends_with(why), "{found:?}");
        assert_eq!(forbidden(&Source::new("Cargo.lock", &text)), []);
    }
}

#[test]
fn a_target_without_a_text_is_found() {
    let makefile = ".PHONY: a b\nX := 1:2\nY ?= a:b\na: b ## Does a.\nb:\n\techo a: b\n# c: d\n";
    assert_eq!(
        lines(&unexplained(makefile)),
        ["Makefile:5: target b has no text for `make help`: add \"## what it does\""]
    );
}
