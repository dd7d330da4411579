//! Every parser of bytes from outside: what makes inputs for it, and what it must hold to.

mod explain;
mod files;
mod fstab;
mod kernel_log;
mod planted;
mod xenstore;

use std::sync::Arc;

use harness::failure::{Failure, Result};
use harness::messages::Messages;
use harness::random::Random;

use crate::mutate::mutated;

/// One parser.
pub struct Parser {
    /// Its name on the command line.
    pub name: &'static str,
    /// Makes an input.
    pub make: Make,
    /// Hands the input to the parser: whether anything was understood, or which rule was broken.
    pub hold: Hold,
}

/// Makes an input out of a seed.
pub type Make = Box<dyn Fn(&mut Random) -> Result<Vec<u8>>>;
/// What came of an input.
pub type Hold = Box<dyn Fn(&[u8]) -> std::result::Result<bool, String>>;

/// What came of the cases of a parser.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// How many there were.
    pub cases: u64,
    /// Those in which something was understood: if there are few, the inputs are too broken.
    pub understood: u64,
}

impl Parser {
    fn new(
        name: &'static str,
        make: impl Fn(&mut Random) -> Result<Vec<u8>> + 'static,
        hold: impl Fn(&[u8]) -> std::result::Result<bool, String> + 'static,
    ) -> Parser {
        Parser { name, make: Box::new(make), hold: Box::new(hold) }
    }
}

/// The one of that name, or all that read what is real.
pub fn named(name: Option<&str>) -> Result<Vec<Parser>> {
    let Some(name) = name else { return all() };
    let mut found = all()?;
    found.extend(planted::parsers());
    found.retain(|parser| parser.name == name);
    if found.is_empty() { Err(Failure::new(format!("{name} is no parser"))) } else { Ok(found) }
}

fn all() -> Result<Vec<Parser>> {
    let messages = Arc::new(Messages::read()?);
    Ok(vec![
        kernel_log::matcher(messages.clone()),
        kernel_log::records(messages.clone()),
        explain::explain(messages),
        fstab::fstab(),
        files::mountinfo(),
        files::frozen_policy(),
        files::command_line(),
        files::report(),
        files::text(),
        xenstore::listing(),
    ])
}

/// An input is one of these seeds, with these words put in.
fn parser(
    name: &'static str,
    seeds: &'static [&'static [u8]],
    words: &'static [&'static [u8]],
    hold: impl Fn(&[u8]) -> std::result::Result<bool, String> + 'static,
) -> Parser {
    Parser::new(name, move |random: &mut Random| Ok(mutated(seeds, words, random)), hold)
}

/// A rule that must hold.
fn must(holds: bool, rule: &str) -> std::result::Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}
