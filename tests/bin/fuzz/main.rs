//! `make fuzz`: broken input for every parser of bytes from outside, for as long as wanted.
//!
//! Each case is a seed: it makes an input, hands it to one parser, and holds what came out against
//! what must be so whatever came in. A case that panics, hangs or breaks its rule ends the program
//! with its seed and its input; the seed alone repeats it. Never needs root, never writes a file
//! but the results that it was asked for.

mod arguments;
mod guard;
mod mutate;
mod parsers;
mod results;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use harness::failure::Result;
use harness::random::Random;

use arguments::Arguments;
use guard::Case;
use parsers::{Parser, Tally};
use results::Done;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            say(format_args!("fuzz: error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    // Before anybody goes on to another commit.
    let commit = arguments.results.as_deref().map(results::commit).transpose()?;
    let parsers = parsers::named(arguments.parser.as_deref())?;
    guard::watch();
    let first = arguments.seed.unwrap_or_else(|| Random::from_environment().seed());
    say(format_args!("fuzz: from seed {first}"));
    let started = Instant::now();
    let is_over = |cases: u64| {
        arguments.executions.is_some_and(|most| cases >= most)
            || arguments.time.is_some_and(|most| started.elapsed() >= most)
    };
    let mut tallies = vec![Tally::default(); parsers.len()];
    let mut cases = 0;
    while !is_over(cases) {
        // One seed for each parser, so that a seed means the same with and without --parser.
        let seed = first.wrapping_add(cases / parsers.len() as u64);
        let index = (cases % parsers.len() as u64) as usize;
        execute(&parsers[index], seed, &mut tallies[index])?;
        cases += 1;
    }
    let seconds = started.elapsed().as_secs();
    let done = Done { commit: commit.unwrap_or_default(), first, cases, seconds };
    say(results::said(&done, &parsers, &tallies));
    match &arguments.results {
        Some(path) => results::save(path, &done, &parsers, &tallies),
        None => Ok(()),
    }
}

fn execute(parser: &Parser, seed: u64, tally: &mut Tally) -> Result<()> {
    let input = (parser.make)(&mut Random::from_seed(seed))?;
    guard::begin(Case { parser: parser.name, seed, input: input.clone() });
    let outcome = (parser.hold)(&input);
    tally.cases += 1;
    match outcome {
        Ok(understood) => tally.understood += u64::from(understood),
        Err(why) => guard::fail(&why),
    }
    Ok(())
}

/// A closed pipe is no reason to fail.
fn say(text: impl Display) {
    let _ = writeln!(io::stdout(), "{text}");
}
