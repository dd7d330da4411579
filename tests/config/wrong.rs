//! Wrong files, each with what is said about it word for word: `fixtures/wrong/NAME.toml` and
//! `NAME.expected`.
//!
//! `XVDGUARD_BLESS=1` writes what is said now into the expected files; `git diff` shows what a
//! person has to read then.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use harness::programs;

use crate::setup::{LIMIT, Machine, WRONG};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config/fixtures/wrong")
}

/// The names of the files that end so.
fn names(suffix: &str) -> BTreeSet<String> {
    let files = fs::read_dir(folder()).unwrap().map(|file| file.unwrap().file_name());
    let names = files.filter_map(|name| Some(name.to_str()?.strip_suffix(suffix)?.to_owned()));
    names.collect()
}

#[test]
fn each_wrong_file_is_told_what_is_wrong_where_and_what_would_be_right() {
    let names = names(".toml");
    assert!(names.len() >= 30, "{} files", names.len());
    let bless = env::var_os("XVDGUARD_BLESS").is_some();
    for name in &names {
        let file = format!("{name}.toml");
        let mut command = programs::command("xvdguard").unwrap();
        command.current_dir(folder()).args(["--config", &file, "config", "check"]);
        let ran = programs::run(command, LIMIT).unwrap();
        assert_eq!((ran.code, ran.out().as_str()), (WRONG, ""), "{name}");
        let expected = folder().join(format!("{name}.expected"));
        if bless {
            fs::write(&expected, &ran.stderr).unwrap();
        }
        assert_eq!(ran.err(), fs::read_to_string(&expected).unwrap_or_default(), "{name}");
    }
}

#[test]
fn nothing_is_expected_of_a_file_that_is_not_there() {
    assert_eq!(names(".expected"), names(".toml"));
}

/// The example of the design.
#[test]
fn the_message_names_the_file_as_a_person_would_open_it() {
    let text = "# queue limits\n\n\n\n\n[[queue]]\n    max_sector_kb = 4\n";
    let said = Machine::configured(text).said();
    let first = said.lines().next().unwrap();
    assert_eq!(
        first,
        "xvdguard: error: /etc/xvdguard/config.toml:7:5: unknown key \"max_sector_kb\" \
         (did you mean \"max_sectors_kb\"?)"
    );
}

/// Nobody reads thousands of lines; a garbled file has more errors than that.
#[test]
fn the_hundredth_error_of_a_file_tells_how_many_more_there_are() {
    let text = |key: &str| (0..250).map(|index| format!("{key}{index} = 1\n")).collect::<String>();
    // Unknown keys, and each of them again: the second kind costs most to look at.
    for (text, more) in [(text("k"), 150), (text("k") + &text("k"), 400)] {
        let said = Machine::configured(&text).said();
        let mut heads = said.lines().filter(|line| line.starts_with("xvdguard: error: "));
        assert_eq!(heads.clone().count(), 100);
        let end = format!(" (and {more} more in this file)");
        assert!(heads.next_back().unwrap().ends_with(&end), "{said}");
    }
}

/// Every error of a file with many, and no error that only follows from another one.
#[test]
fn a_broken_line_hides_no_error_of_another_line() {
    let text =
        "[barrier]\nmode = atuo\nlever = \"lift\"\n[reboot\nat_most = 99\n[daemon]\ntick = 1\n";
    let said = Machine::configured(text).said();
    let places: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("xvdguard: error: /etc/xvdguard/config.toml:"))
        .map(|rest| rest.split(": ").next().unwrap())
        .collect();
    // Line 5 seems to stand in another table, which is the fault of line 4.
    assert_eq!(places, ["2:8", "3:9", "4:8", "7:8"], "{said}");
}
