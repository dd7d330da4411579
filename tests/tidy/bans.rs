//! What may not stand in code: panics outside tests, silenced lints, ignored tests, sleeping.
//!
//! Clippy denies most of it too; this also sees into macros, and sees lints being switched off.

use crate::finding::{Finding, accept, lines};
use crate::syntax::{Kind, Mention};
use crate::tree::{Source, sources, test_modules};

/// Method names that panic; also as `Option::unwrap` without a call.
const METHODS: [&str; 4] = ["unwrap", "expect", "unwrap_err", "expect_err"];
/// Macros that panic, or are left from a search.
const MACROS: [&str; 4] = ["panic", "todo", "unimplemented", "dbg"];
/// Lints that nobody switches off outside tests.
const LINTS: [&str; 6] = [
    "clippy::expect_used",
    "clippy::panic",
    "clippy::too_many_lines",
    "clippy::undocumented_unsafe_blocks",
    "clippy::unwrap_used",
    "missing_docs",
];

/// What a program may not do.
fn in_programs(mention: &Mention) -> Option<String> {
    let Mention { kind, what, .. } = mention;
    let last = what.rsplit("::").next().unwrap_or(what);
    match kind {
        Kind::Method | Kind::Path if METHODS.contains(&last) => {
            Some(format!("{last}() outside tests: return an error that says what was tried"))
        }
        Kind::Macro if MACROS.contains(&last) => {
            Some(format!("{last}! outside tests: return an error; what cannot be is an alarm"))
        }
        Kind::Attribute => {
            let lint = LINTS.iter().find(|lint| what.contains(*lint))?;
            let silences = ["allow(", "expect(", "cfg_attr("].iter().any(|a| what.starts_with(a));
            silences.then(|| format!("{lint} is switched off: put right what it says instead"))
        }
        _ => None,
    }
}

/// What neither a program nor a test may do.
fn anywhere(mention: &Mention) -> Option<String> {
    let is_ignored = mention.kind == Kind::Attribute
        && (mention.what == "ignore"
            || mention.what.starts_with("cfg_attr(") && mention.what.ends_with(",ignore)"));
    is_ignored.then(|| "#[ignore] hides a test: let it skip with a printed reason".to_owned())
}

/// What the agent may not do, since its loop has to stay awake.
fn in_the_agent(mention: &Mention) -> Option<String> {
    let what = "sleeping outside tests: wait for an event, with a deadline";
    let names = matches!(mention.kind, Kind::Path | Kind::Import);
    (names && mention.what.ends_with("thread::sleep")).then(|| what.to_owned())
}

/// What the shipped programs do in one place, since each type brings the code of a sort anew.
fn in_the_one_sort(mention: &Mention) -> Option<String> {
    let sorts = mention.kind == Kind::Method && mention.what.starts_with("sort");
    sorts.then(|| format!("{}() outside `order`: call that, its code is there once", mention.what))
}

/// All bans on one file; `is_test` says that the whole of it is test code.
fn check(source: &Source, is_test: bool) -> Vec<Finding> {
    let Some(facts) = &source.facts else { return vec![] };
    let agent = source.is_below("agent") || source.is_below("initramfs");
    let is_order = source.path.ends_with("logic/src/order.rs");
    let mut findings = Vec::new();
    if let Some((line, why)) = &facts.broken {
        findings.push(Finding::new(&source.path, *line, format!("not Rust: {why}")));
    }
    for mention in &facts.mentions {
        let program = !is_test && !mention.test;
        let what = anywhere(mention)
            .or_else(|| in_programs(mention).filter(|_| program && !mention.constant))
            .or_else(|| in_the_agent(mention).filter(|_| program && agent))
            .or_else(|| in_the_one_sort(mention).filter(|_| program && agent && !is_order));
        findings.extend(what.map(|what| Finding::new(&source.path, mention.line, what)));
    }
    findings
}

#[test]
fn nothing_forbidden_stands_in_code() {
    let sources = sources().unwrap();
    let tests = test_modules(sources);
    let findings = sources.iter().flat_map(|source| check(source, source.is_test(&tests)));
    accept(findings.collect());
}

#[test]
fn a_panic_in_a_program_is_found() {
    for text in [
        "fn f() { g().unwrap(); }",
        "fn f() { g().map(Option::unwrap); }",
        "fn f() { say!(\"{}\", g().expect(\"why\")); }",
        "fn f() { panic!(\"why\") }",
        "macro_rules! m { () => { todo!() } }",
        "static A: LazyLock<u8> = LazyLock::new(|| g().unwrap());",
        "#![allow(clippy::unwrap_used)]",
        "#[expect(dead_code, clippy::panic)]\nfn f() {}",
        "#[cfg_attr(debug, allow(missing_docs))]\nfn f() {}",
        "fn f() { std::thread::sleep(d) }",
        "use std::{fs, thread::sleep};",
        "fn f(mut a: Vec<u8>) { a.sort_unstable_by_key(|one| *one) }",
        "#[test]\n#[ignore = \"slow\"]\nfn f() {}",
        "#[cfg(not(test))]\nfn f() { g().unwrap(); }",
        "fn f( {",
    ] {
        let found = check(&Source::new("agent/x/src/a.rs", text), false);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
}

#[test]
fn tests_and_constants_may_panic() {
    for text in [
        "#[cfg(test)]\nmod tests { fn f() { g().unwrap(); std::thread::sleep(d); } }",
        "#[cfg(all(test, unix))]\nuse std::thread::sleep;",
        "#[test]\nfn f() { panic!() }",
        "const A: u8 = B.unwrap();",
        "fn f() { g().unwrap_or_default(); h(\"unwrap() panic!\"); }",
    ] {
        assert_eq!(check(&Source::new("agent/x/src/a.rs", text), false), [], "{text}");
    }
    assert_eq!(check(&Source::new("tests/a/main.rs", "fn f() { g().unwrap(); }"), true), []);
}

#[test]
fn a_ban_says_what_to_do_instead() {
    let found = check(&Source::new("agent/x/src/a.rs", "fn f() {\n g().unwrap();\n}"), false);
    assert_eq!(
        lines(&found),
        ["agent/x/src/a.rs:2: unwrap() outside tests: return an error that says what was tried"]
    );
}
