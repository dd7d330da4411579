//! `make bench`: measures what xvdguard promises about time and size, and writes BENCHMARKS.md.
//!
//! Every promise stands beside what was measured, and beside a rival that did the same work in the
//! same run, by turns. A promise that is not kept is printed as MISSED, and the program fails. No
//! test asks for the time: a busy machine may fail this, never the tests.

mod bench;
mod daemon;
mod early;
mod explain;
mod explain_logs;
mod fstab;
mod guest;
mod kernel_log;
mod kernel_log_text;
mod live;
mod machine;
mod measure;
mod observing;
mod planning;
mod report;
mod rivals;
mod sizes;
mod starting;
mod sysfs;

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use harness::failure::Result;
use harness::namespace;

use bench::Bench;
use report::Report;

type Chapter = fn(&Bench) -> Result<report::Chapter>;

const CHAPTERS: [(&str, Chapter); 13] = [
    ("observing", observing::chapter),
    ("early", early::chapter),
    ("live", live::chapter),
    ("sizes", sizes::chapter),
    ("starting", starting::chapter),
    ("kernel_log", kernel_log::chapter),
    ("explain", explain::chapter),
    ("fstab", fstab::chapter),
    ("planning", planning::chapter),
    ("daemon_latency", daemon::latency),
    ("daemon_outage", daemon::outage),
    ("daemon_idle", daemon::idle),
    ("daemon_large", daemon::large),
];

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let done = match arguments.split_first() {
        Some((word, command)) if word == measure::LAUNCH => {
            measure::launch(command).map(|kib| say(&kib.to_string())).map(|()| Vec::new())
        }
        _ => run(&env::args().skip(1).collect::<Vec<_>>()),
    };
    match done {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            missed.iter().for_each(|what| say(&format!("MISSED {what}")));
            ExitCode::FAILURE
        }
        Err(failure) => {
            say(&format!("bench: error: {failure}"));
            ExitCode::FAILURE
        }
    }
}

/// All chapters, or only those with one of the words in their name; then nothing is written.
fn run(words: &[String]) -> Result<Vec<String>> {
    namespace::enter_private_mounts()?;
    let bench = Bench::new()?;
    let mut report = Report::begin(&machine::table()?);
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word));
    for (_, chapter) in CHAPTERS.iter().filter(|(name, _)| wanted(name)) {
        let chapter = chapter(&bench)?;
        say(&chapter.to_string());
        report.add(chapter);
    }
    if words.is_empty() {
        report.save()?;
    }
    Ok(report.missed())
}

/// A closed pipe is no reason to fail.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{text}");
}
