//! Starting the programs: fork, exec, `--version`, exit.

use std::path::{Path, PathBuf};

use harness::failure::Result;

use crate::bench::Bench;
use crate::measure::{self, Contest, Sample};
use crate::report::{Chapter, Promise, Table};

const ROUNDS: usize = 101;
/// The system's own, not one that a shell script looks for.
const PYTHON: &str = "/usr/bin/python3";

/// Both programs against the smallest program there is, and against Python where it is installed.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let run = |program: PathBuf, arguments: &'static [&'static str]| {
        move || -> Result<Sample> {
            let mut command = bench.command(&program)?;
            command.args(arguments);
            measure::process(command)
        }
    };
    let early = run(bench.program("xvdguard-early"), &["--version"]);
    let agent = run(bench.program("xvdguard"), &["--version"]);
    let mut contest = Contest::of("`xvdguard-early --version`", early)
        .against("`xvdguard --version`", agent)
        .against("`/bin/true`", run("/bin/true".into(), &[]));
    if Path::new(PYTHON).exists() {
        contest = contest.against("`python3 -c pass`", run(PYTHON.into(), &["-c", "pass"]));
    }
    let outcomes = contest.run(ROUNDS)?;
    let promises = [0, 1].map(|index| Promise::at_most_ms(outcomes[index].wall, 2));
    let text = "What a process costs before it does anything.";
    let mut chapter = Chapter::new("Starting", text);
    chapter.add(Table::of(&outcomes, &promises));
    Ok(chapter)
}
