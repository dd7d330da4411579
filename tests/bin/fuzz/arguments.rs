//! What the program was asked for.

use std::path::PathBuf;
use std::time::Duration;

use harness::failure::{Failure, Result, Tried};

/// The command line; without limits it goes on for ever.
#[derive(Debug, Default)]
pub struct Arguments {
    /// The first seed; drawn, or that of the environment, where none is given.
    pub seed: Option<u64>,
    /// Only this parser.
    pub parser: Option<String>,
    /// So many cases.
    pub executions: Option<u64>,
    /// So long.
    pub time: Option<Duration>,
    /// Where to write what came of it.
    pub results: Option<PathBuf>,
}

impl Arguments {
    /// Reads the words behind the program's name.
    pub fn read(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
        let mut arguments = Arguments::default();
        while let Some(word) = words.next() {
            let value =
                words.next().ok_or_else(|| Failure::new(format!("{word} needs a value")))?;
            let number = || value.parse().tried(format_args!("read {word} {value}"));
            match word.as_str() {
                "--seed" => arguments.seed = Some(number()?),
                "--executions" => arguments.executions = Some(number()?),
                "--seconds" => arguments.time = Some(Duration::from_secs(number()?)),
                "--results" => arguments.results = Some(PathBuf::from(value)),
                "--parser" => arguments.parser = Some(value),
                _ => return Err(Failure::new(format!("{word} is no option"))),
            }
        }
        Ok(arguments)
    }
}
