//! Tests are called by what they show, in words.
//!
//! `a_remount_waits_for_the_probe` tells what broke when it fails; `test_remount` does not.

use crate::finding::{Finding, accept, lines};
use crate::tree::{Source, sources};

/// The name of a test has at least so many words.
const WORDS: usize = 3;

fn check(source: &Source) -> Vec<Finding> {
    let Some(facts) = &source.facts else { return vec![] };
    let mut findings = Vec::new();
    for test in facts.functions.iter().filter(|function| function.is_test) {
        if test.name.split('_').filter(|word| !word.is_empty()).count() < WORDS {
            let what = format!("test {}: call it by what it shows, as a sentence", test.name);
            findings.push(Finding::new(&source.path, test.first, what));
        }
    }
    findings
}

#[test]
fn names_of_tests_are_sentences() {
    accept(sources().unwrap().iter().flat_map(check).collect());
}

#[test]
fn a_short_name_is_found() {
    let text = "fn help() {}\n#[test]\nfn remount_works() {}\n#[test]\nfn it_really_works() {}\n";
    assert_eq!(
        lines(&check(&Source::new("a.rs", text))),
        ["a.rs:3: test remount_works: call it by what it shows, as a sentence"]
    );
}
