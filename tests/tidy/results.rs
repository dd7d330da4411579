//! RESULTS.md, RECOVERY.md and PACKAGE.md of the real Xen tell of commits of this history.
//!
//! Where the history is not there (a shallow clone) only the form can be held.

use std::process::Command;

use crate::finding::{Finding, accept, lines};
use crate::tree::{root, sources};

const FILES: [&str; 3] = ["tests/xen/RESULTS.md", "tests/xen/RECOVERY.md", "tests/xen/PACKAGE.md"];

/// Each section begins with `## DATE, commit HASH`.
fn check(file: &str, text: &str, is_ancestor: impl Fn(&str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let headings = text.lines().enumerate().filter(|(_, line)| line.starts_with("## "));
    for (index, heading) in headings {
        let commit = heading.split_once(", commit ").map_or("", |(_, rest)| rest);
        let commit = commit.split(' ').next().unwrap_or("");
        if is_ancestor(commit) {
            continue;
        }
        let what = "the run was of a commit that is not in this history: run it again";
        findings.push(Finding::new(file, index + 1, what));
    }
    findings
}

fn git(arguments: &[&str]) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*"]).args(arguments).current_dir(root());
    let output = git.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

#[test]
fn results_are_of_this_history() {
    let is_whole = git(&["rev-parse", "--is-shallow-repository"]).as_deref() == Some("false");
    let is_ancestor =
        |commit: &str| !is_whole || git(&["merge-base", "--is-ancestor", commit, "HEAD"]).is_some();
    let results = sources().unwrap().iter().filter(|source| FILES.contains(&&*source.path));
    let found = results.flat_map(|results| check(&results.path, &results.text, is_ancestor));
    accept(found.collect());
}

#[test]
fn results_of_another_history_are_found() {
    let text = "# What\n## 2026-01-31 10:00 UTC, commit aa\n\n| x |\n## y, commit bb\n## w\n";
    assert_eq!(
        lines(&check(FILES[0], text, |commit| commit == "aa")),
        [
            "tests/xen/RESULTS.md:5: the run was of a commit that is not in this history: run it \
             again",
            "tests/xen/RESULTS.md:6: the run was of a commit that is not in this history: run it \
             again",
        ]
    );
}
