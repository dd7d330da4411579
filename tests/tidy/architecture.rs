//! ARCHITECTURE.md and the code say the same: every module is named, every path named exists,
//! every dependency has its reason.
//!
//! A word in backticks is a path when it ends in `/` or `.rs`, or begins with a top-level folder
//! or file. Below a heading that names a folder (`agent/linux/src/`, which also names the crate's
//! `lib.rs` or `main.rs`) paths may be relative to it; a module folder (`xenstore/`) stands for
//! all in it. A dependency begins a row of a table and has its reason there:
//!
//!     | Crate  | Why |
//!     |--------|-----|
//!     | `nix`  | signalfd, which rustix lacks |

use std::collections::BTreeSet;

use crate::finding::{Finding, accept, lines};
use crate::metadata::{members, packages};
use crate::tree::{is_below, sources};

const FILE: &str = "ARCHITECTURE.md";
/// Lines that one reads before starting to work.
const LINES: usize = 200;
/// Words of a reason.
const WORDS: usize = 3;

/// A path in backticks: its line, the word, and the folder that the heading above it names.
struct Named<'a> {
    line: usize,
    word: &'a str,
    base: Option<&'a str>,
}

/// All that holds of the document, given the files and the direct foreign dependencies.
fn check(text: &str, files: &[&str], foreign: &BTreeSet<&str>, ours: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let count = text.lines().count();
    if count > LINES {
        let what = format!("{count} lines, at most {LINES}: say less, the code says the rest");
        findings.push(Finding::new(FILE, LINES + 1, what));
    }
    let (paths, missing) = resolve(&named(text, files), files);
    findings.extend(missing);
    findings.extend(modules(&paths, files));
    findings.extend(folders(&paths, files));
    findings.extend(dependencies(text, foreign, ours));
    findings
}

/// The words in backticks that are paths.
fn named<'a>(text: &'a str, files: &[&str]) -> Vec<Named<'a>> {
    let mut found = Vec::new();
    let mut base = None;
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        in_block ^= line.starts_with("```");
        let words = line.split('`').skip(1).step_by(2).filter(|word| is_path(word, files));
        if line.starts_with('#') && !in_block {
            base = words.clone().find(|word| word.ends_with('/'));
        }
        found.extend(words.map(|word| Named { line: index + 1, word, base }));
    }
    found
}

/// What begins with `/` is a place on the guest, and below `target/` is what was built.
fn is_path(word: &str, files: &[&str]) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let first = word.split('/').next().unwrap_or("");
    let top = files.iter().any(|file| is_below(file, first) || *file == first);
    let ends = [".rs", ".tsv", "/"].iter().any(|end| word.ends_with(end));
    let outside = first.is_empty() || first == "target";
    word.chars().all(sign) && !outside && (top || ends)
}

/// The paths from the root, and those that are nowhere.
fn resolve(named: &[Named], files: &[&str]) -> (BTreeSet<String>, Vec<Finding>) {
    let mut paths = BTreeSet::new();
    let mut missing = Vec::new();
    for Named { line, word, base } in named {
        let below = base.map(|base| format!("{base}{word}"));
        let places = below.into_iter().chain([(*word).to_owned()]);
        let trimmed = places.map(|path| path.trim_end_matches('/').to_owned());
        match trimmed.clone().find(|path| exists(path, files)) {
            Some(path) => {
                paths.insert(path);
            }
            None => missing.push(Finding::new(
                FILE,
                *line,
                format!("`{word}` is nowhere: tried {}", trimmed.collect::<Vec<_>>().join(", ")),
            )),
        }
    }
    (paths, missing)
}

fn exists(path: &str, files: &[&str]) -> bool {
    files.iter().any(|file| *file == path || is_below(file, path))
}

/// Each module of a program is named: its file, or a module folder that it lies in. The root of
/// a crate is named by its `src` folder.
fn modules(paths: &BTreeSet<String>, files: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_program = |file: &&&str| is_below(file, "agent") || is_below(file, "initramfs");
    for file in files.iter().filter(is_program).filter(|file| file.ends_with(".rs")) {
        let stem = file.strip_suffix(".rs").unwrap_or(file);
        let root = ["/lib", "/main", "/mod"].iter().find_map(|end| stem.strip_suffix(end));
        let is_named = paths.iter().any(|path| {
            let is_module =
                !path.ends_with("/src") && is_below(file, path) && path.contains("/src/");
            path == *file || path == stem || Some(path.as_str()) == root || is_module
        });
        if !is_named {
            let what = format!("the module `{file}` is not named: add a line on what it is for");
            findings.push(Finding::new(FILE, 1, what));
        }
    }
    findings
}

/// Each folder at the top is named.
fn folders(paths: &BTreeSet<String>, files: &[&str]) -> Vec<Finding> {
    let tops: BTreeSet<&str> =
        files.iter().filter_map(|file| Some(file.split_once('/')?.0)).collect();
    let open = tops.iter().filter(|top| !paths.contains(**top));
    let what =
        |top: &&str| format!("the folder `{top}/` is not named: add a line on what it holds");
    open.map(|top| Finding::new(FILE, 1, what(top))).collect()
}

/// Each direct foreign dependency begins a row of a table and has its reason there; each row of a
/// table with the header `Crate` is a dependency.
fn dependencies(text: &str, foreign: &BTreeSet<&str>, ours: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut open = foreign.clone();
    let mut in_table = false;
    for (index, line) in text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let is_row = line.trim().starts_with('|');
        in_table = is_row && (in_table || cells[0].eq_ignore_ascii_case("crate"));
        if !is_row || cells[0].eq_ignore_ascii_case("crate") || cells[0].starts_with(['-', ':']) {
            continue;
        }
        let has_reason = cells[1..].iter().any(|cell| cell.split_whitespace().count() >= WORDS);
        for name in cells[0].split(',').map(|name| name.trim().trim_matches('`')) {
            let is_known = foreign.contains(name);
            if is_known && has_reason {
                open.remove(name);
            } else if in_table && !is_known && !ours.contains(&name) {
                let what = format!("{name} is no direct dependency: remove the row");
                findings.push(Finding::new(FILE, index + 1, what));
            }
        }
    }
    let what = |name| format!("the dependency {name} has no row with a reason: | `{name}` | … |");
    findings.extend(open.into_iter().map(|name| Finding::new(FILE, 1, what(name))));
    findings
}

#[test]
fn the_architecture_and_the_code_say_the_same() {
    let sources = sources().unwrap();
    let text = sources.iter().find(|source| source.path == FILE);
    let text = text.expect("ARCHITECTURE.md is missing: its form is told in architecture.rs here");
    let files: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
    let members: Vec<_> = members(packages().unwrap()).map(|(package, _)| package).collect();
    let ours: Vec<&str> = members.iter().map(|package| package.name.as_str()).collect();
    let asked = members.iter().flat_map(|package| &package.dependencies);
    let foreign = asked.filter(|one| !one.is_ours).map(|one| one.name.as_str()).collect();
    accept(check(&text.text, &files, &foreign, &ours));
}

#[cfg(test)]
const FILES: [&str; 7] = [
    "ARCHITECTURE.md",
    "agent/x/src/lib.rs",
    "agent/x/src/disk.rs",
    "agent/x/src/store/wire.rs",
    "agent/x/src/store.rs",
    "agent/x/Cargo.toml",
    "tests/tidy/main.rs",
];

#[cfg(test)]
fn found_in(text: &str) -> Vec<String> {
    lines(&check(text, &FILES, &BTreeSet::from(["tar"]), &["x"]))
}

#[cfg(test)]
const COMPLETE: &str = "# View\n`agent/` and `tests/`; `/run/x/`, `target/x/`, `write_cache`\n\
    ## The crate `agent/x/src/`\n- `disk.rs` reads, see `tests/tidy/main.rs`\n- `store/` asks\n\
    ## Dependencies\n| Crate | Why |\n|---|---|\n\
    | `tar` | archives of recordings |\n| x | ours |\n";

#[test]
fn a_complete_document_passes() {
    assert_eq!(found_in(COMPLETE), [""; 0]);
}

#[test]
fn what_is_not_named_is_found() {
    for (without, missing) in [
        ("- `disk.rs` reads, see", "the module `agent/x/src/disk.rs` is not named"),
        ("- `store/` asks", "the module `agent/x/src/store.rs` is not named"),
        ("`agent/` and", "the folder `agent/` is not named"),
        ("## The crate `agent/x/src/`", "the module `agent/x/src/lib.rs` is not named"),
        ("| `tar` | archives of recordings |", "the dependency tar has no row"),
        ("archives of recordings", "the dependency tar has no row"),
    ] {
        let found = found_in(&COMPLETE.replace(without, ""));
        assert!(found.iter().any(|line| line.contains(missing)), "{without}: {found:?}");
    }
}

#[test]
fn what_is_nowhere_is_found() {
    let found = found_in(&COMPLETE.replace("disk.rs` reads", "disk.rs` reads `old.rs`"));
    assert_eq!(found, ["ARCHITECTURE.md:4: `old.rs` is nowhere: tried agent/x/src/old.rs, old.rs"]);
    assert_eq!(found_in(&format!("{COMPLETE}`tests/gone`\n")).len(), 1);
    assert_eq!(
        found_in(&format!("{COMPLETE}| `old` | not used any more |\n")),
        ["ARCHITECTURE.md:11: old is no direct dependency: remove the row"]
    );
    assert_eq!(found_in(&format!("{COMPLETE}{}", "\n".repeat(200))).len(), 1);
}
