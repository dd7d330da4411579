//! A requirement that is missing: said aloud, counted, and forbidden on demand.

use std::fs;
use std::process::{Command, Output};

use harness::helper;
use harness::scratch::Scratch;

const REASON: &str = "needs the program a-program-that-nobody-has";

fn skip(environment: &[(&str, &str)]) -> Output {
    Command::new(helper::binary("harness_victim").unwrap())
        .arg("skip")
        .env_remove("XVDGUARD_FORBID_SKIP")
        .env_remove("XVDGUARD_SKIP_LOG")
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

#[test]
fn a_skip_is_said_and_counted() {
    let folder = Scratch::new("skips").unwrap();
    let log = folder.path().join("log");
    for lines in 1..=2 {
        let output = skip(&[("XVDGUARD_SKIP_LOG", log.to_str().unwrap())]);
        assert!(output.status.success());
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("SKIPPED ") && said.ends_with(&format!(": {REASON}\n")), "{said}");
        let counted = fs::read_to_string(&log).unwrap();
        assert_eq!(counted, said.repeat(lines));
    }
}

#[test]
fn a_forbidden_skip_fails() {
    let output = skip(&[("XVDGUARD_FORBID_SKIP", "1")]);
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains(REASON));
}
