//! A short, fixed part of `make fuzz`, and that the fuzzer names what fails.

use std::process::{Command, Output};

use harness::failure::{Result, Tried};

const FUZZ: &str = env!("CARGO_BIN_EXE_fuzz");

fn fuzz(arguments: &[&str]) -> Result<(Output, String)> {
    let output = Command::new(FUZZ).args(arguments).output().tried("run the fuzzer")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok((output, said))
}

#[test]
fn a_hundred_thousand_broken_inputs_do_no_harm() {
    let (output, said) = fuzz(&["--seed", "1", "--executions", "100000"]).unwrap();
    println!("{said}");
    assert!(output.status.success(), "{said}");
}

#[test]
fn a_parser_that_panics_is_named_with_seed_and_input() {
    let (output, said) = fuzz(&["--parser", "planted-panic", "--seed", "1"]).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let repeat = said.lines().find_map(|line| line.split_once("to repeat it: ")).unwrap().1;
    assert!(said.contains("planted in the parser") && said.contains("bytes: \""), "{said}");
    // What it says repeats it, in one case.
    let arguments: Vec<&str> = repeat.split_once(" -- ").unwrap().1.split(' ').collect();
    let (again, said_again) = fuzz(&arguments).unwrap();
    assert_eq!(again.status.code(), Some(1), "{said_again}");
    let input = |said: &str| said.lines().find(|line| line.contains("bytes: ")).map(str::to_owned);
    assert_eq!(input(&said_again), input(&said));
}

#[test]
fn a_parser_that_breaks_its_rule_is_named_too() {
    let (output, said) = fuzz(&["--parser", "planted-rule", "--seed", "1"]).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("fuzz: FAILED: a planted rule"), "{said}");
}

#[test]
fn the_same_seed_makes_the_same_cases() {
    let run = || fuzz(&["--parser", "fstab", "--seed", "7", "--executions", "500"]).unwrap().1;
    let understood = |said: &str| said.lines().last().map(str::to_owned);
    assert_eq!(understood(&run()), understood(&run()));
}
