//! Limits of size: files, lines and functions, and how deep control flow is nested.
//!
//! What is longer is not wrong, but nobody reads it twice.

use std::fmt::Display;

use crate::finding::{Finding, accept, lines};
use crate::syntax::Function;
use crate::tree::{Source, sources};

/// Lines of a Rust file; from 400 on it is time to think of two.
const FILE_LINES: usize = 500;
/// Lines of a program's `main.rs`: arguments, run, exit code.
const MAIN_LINES: usize = 60;
/// Lines of code of a function; the same number is in clippy.toml.
const FUNCTION_LINES: usize = 70;
/// Blocks of control flow inside each other.
const DEPTH: usize = 3;
/// Characters of a line; rustfmt leaves long comments and strings alone.
const COLUMNS: usize = 100;

/// A Rust file is short, and a program's `main.rs` very short.
fn files(source: &Source) -> Vec<Finding> {
    let count = source.text.lines().count();
    let is_main = source.path.ends_with("/src/main.rs");
    let (limit, way_out) = if is_main {
        (MAIN_LINES, "move the work into modules")
    } else {
        (FILE_LINES, "split it by subject")
    };
    over(count, limit).map_or(vec![], |count| {
        let what = format!("the file has {count} lines, at most {limit}: {way_out}");
        vec![Finding::new(&source.path, limit + 1, what)]
    })
}

/// No line is wider than the page.
fn columns(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        if let Some(count) = over(line.chars().count(), COLUMNS) {
            let what = format!("the line has {count} characters, at most {COLUMNS}: break it");
            findings.push(Finding::new(&source.path, index + 1, what));
        }
    }
    findings
}

/// A function fits on a screen; blank lines and comments are free.
fn functions(source: &Source) -> Vec<Finding> {
    of_functions(source, |function| {
        let count = over(code_lines(&source.text, function), FUNCTION_LINES)?;
        let what = format!("has {count} lines of code, at most {FUNCTION_LINES}: take it apart");
        Some((function.first, what))
    })
}

/// Control flow is flat.
fn nesting(source: &Source) -> Vec<Finding> {
    of_functions(source, |function| {
        let (depth, line) = function.depth;
        let depth = over(depth, DEPTH)?;
        let what = format!(
            "nests {depth} blocks of control flow, at most {DEPTH}: return early, or give the \
             inner block a name of its own"
        );
        Some((line, what))
    })
}

fn of_functions<W: Display>(
    source: &Source,
    wrong: impl Fn(&Function) -> Option<(usize, W)>,
) -> Vec<Finding> {
    let Some(facts) = &source.facts else { return vec![] };
    let mut findings = Vec::new();
    for function in &facts.functions {
        if let Some((line, what)) = wrong(function) {
            let what = format!("function {} {what}", function.name);
            findings.push(Finding::new(&source.path, line, what));
        }
    }
    findings
}

/// The lines of a function without blank lines and comments.
pub fn code_lines(text: &str, function: &Function) -> usize {
    let body = text.lines().take(function.last).skip(function.first.saturating_sub(1));
    body.map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

fn over(count: usize, limit: usize) -> Option<usize> {
    (count > limit).then_some(count)
}

fn in_rust(sources: &[Source], rule: impl Fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
    sources.iter().filter(|source| source.facts.is_some()).flat_map(rule).collect()
}

#[test]
fn rust_files_are_short() {
    accept(in_rust(sources().unwrap(), files));
}

#[test]
fn lines_fit_the_page() {
    accept(in_rust(sources().unwrap(), columns));
}

#[test]
fn functions_fit_a_screen() {
    accept(in_rust(sources().unwrap(), functions));
}

#[test]
fn control_flow_is_flat() {
    accept(in_rust(sources().unwrap(), nesting));
}

#[test]
fn a_long_file_and_a_long_line_are_found() {
    let long = Source::new("agent/x/src/disk.rs", &"//\n".repeat(501));
    assert_eq!(
        lines(&files(&long)),
        ["agent/x/src/disk.rs:501: the file has 501 lines, at most 500: split it by subject"]
    );
    assert_eq!(files(&Source::new("agent/x/src/main.rs", &"//\n".repeat(61))).len(), 1);
    assert_eq!(files(&Source::new("tests/faults/main.rs", &"//\n".repeat(61))), []);
    let wide = Source::new("x.rs", &format!("\n// {}\n", "ö".repeat(98)));
    assert_eq!(
        lines(&columns(&wide)),
        ["x.rs:2: the line has 101 characters, at most 100: break it"]
    );
}

#[test]
fn a_long_function_is_found() {
    let body =
        |count| format!("/// Says.\n#[inline]\nfn long() {{\n{}}}\n", "go();\n".repeat(count));
    let found = functions(&Source::new("x.rs", &body(69)));
    assert_eq!(
        lines(&found),
        ["x.rs:3: function long has 71 lines of code, at most 70: take it apart"]
    );
    assert_eq!(functions(&Source::new("x.rs", &body(68))), []);
    assert_eq!(functions(&Source::new("x.rs", &body(60).replace("go", "// why\n\ngo"))), []);
}

#[test]
fn deep_nesting_is_found_also_in_closures() {
    let deep =
        "fn f() {\n for a in b {\n  if c {\n   d(|| match e {\n    _ => loop {},\n   })\n}}}";
    let found = lines(&nesting(&Source::new("x.rs", deep)));
    assert!(found[0].starts_with("x.rs:5: function f nests 4 blocks"), "{found:?}");
}

#[test]
fn a_chain_of_else_if_is_flat() {
    let chain = "fn f() { if a {} else if b {} else if c {} else if d {} else if e {} else {} }";
    assert_eq!(nesting(&Source::new("x.rs", chain)), []);
    let inner = "fn f() { if a { if b { if c { fn g() { if d {} } } } } }";
    assert_eq!(nesting(&Source::new("x.rs", inner)), []);
}
