//! Each file says at its top what it is.
//!
//! Rust with `//!` and a whole sentence; shell, TOML, C and make with a comment. Data that tests
//! read is free.

use crate::finding::{Finding, accept, lines};
use crate::shells::is_shell;
use crate::tree::{Source, sources};

/// A shorter sentence says nothing that the name of the file does not.
const WORDS: usize = 4;

/// What the file has to open with, where anything is asked of it.
fn wrong(source: &Source) -> Option<&'static str> {
    let name = source.path.rsplit('/').next().unwrap_or("");
    let first = source.first_line();
    let is_make = name == "Makefile" || name.ends_with(".mk");
    if name.ends_with(".rs") {
        let what = "the file has to open with //! and a whole sentence: what it is, what it never \
                    does, where its tests are";
        return (!is_sentence(&header(&source.text))).then_some(what);
    }
    if name.ends_with(".c") || name.ends_with(".h") {
        let opens = first.starts_with("/*") || first.starts_with("//");
        return (!opens).then_some("the file has to open with a comment: what it is");
    }
    if name.ends_with(".toml") || is_make || is_shell(source) {
        return (!first.starts_with('#')).then_some("the file has to open with a # comment");
    }
    None
}

/// The text of the `//!` lines at the top.
fn header(text: &str) -> String {
    let lines = text.lines().map_while(|line| line.strip_prefix("//!"));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Whether a text has a sentence in it: some words, and an end.
fn is_sentence(text: &str) -> bool {
    let end = |word: &str| word.trim_end_matches(['`', ')', '"', '*']).ends_with(['.', '!', '?']);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.len() >= WORDS && words.iter().skip(WORDS - 1).any(|word| end(word))
}

fn check(source: &Source) -> Option<Finding> {
    wrong(source).map(|what| Finding::new(&source.path, 1, what))
}

#[test]
fn each_file_opens_with_what_it_is() {
    let sources = sources().unwrap().iter().filter(|source| !source.is_fixture());
    accept(sources.filter_map(check).collect());
}

#[test]
fn a_file_without_a_header_is_found() {
    for (path, text) in [
        ("a.rs", "use std::fs;\n"),
        ("a.rs", "//! x\nfn main() {}\n"),
        ("a.rs", "// Not a header of the file.\n"),
        ("a.c", "#include <stdio.h>\n"),
        ("a/Cargo.toml", "[package]\n"),
        ("Makefile", "all:\n"),
        ("a.sh", "true\n"),
    ] {
        let found = check(&Source::new(path, text));
        assert!(found.is_some(), "{path} {text}");
        assert!(lines(found.as_slice())[0].contains(":1: the file has to open with"));
    }
}

#[test]
fn a_file_with_a_header_passes() {
    for (path, text) in [
        ("a.rs", "//! Reads what the kernel says\n//! about disks (`kmsg`).\n"),
        ("a.c", "/* Answers every flush with EIO. */\n"),
        ("a/Cargo.toml", "# The daemon.\n[package]\n"),
        ("notes.txt", "free\n"),
    ] {
        assert_eq!(check(&Source::new(path, text)), None, "{path}");
    }
}
