//! `xvdguard`: what every vbd's backend really does with flushes, how that is known, what to do.
//!
//! This file only leads from arguments to a command to an exit code.

mod arguments;
mod commands;
mod config;
mod daemon;
mod diff;
mod exit;
mod json;
mod output;
mod picture;
mod record;
mod terminal;

use std::process::ExitCode;

use arguments::{Arguments, Command, Plan};
use commands::Session;
use exit::Failure;

fn main() -> ExitCode {
    let arguments = match arguments::parse() {
        Ok(arguments) => arguments,
        Err(notice) => return exit::notice(&notice),
    };
    run(&arguments).unwrap_or_else(|failure| exit::failed(&failure, &arguments.command))
}

fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let global = &arguments.global;
    let open = || Session::open(global);
    match &arguments.command {
        Command::Check(options) => apart(|| commands::check::run(open()?, global, options)),
        Command::Status => apart(|| commands::status::run(open()?)),
        Command::Probe(options) => apart(|| commands::probe::run(open()?, options)),
        Command::Plan(Plan { recovery: None }) => apart(|| commands::plan::run(open()?)),
        Command::Plan(Plan { recovery: Some(mount) }) => {
            apart(|| commands::rehearse::plan(open()?, mount))
        }
        Command::Rehearse(options) => apart(|| commands::rehearse::run(open()?, &options.mount)),
        Command::Apply(options) => apart(|| commands::apply::run(open()?, options)),
        Command::Revert => apart(|| commands::revert::run(open()?)),
        Command::Record(options) => apart(|| commands::record::run(open()?, options)),
        Command::Config(command) => apart(|| commands::config::run(global, command)),
        Command::Daemon => daemon::run(global),
        Command::Hold(options) => apart(|| commands::hold::run(global, options)),
        Command::Replay(options) => apart(|| commands::replay::run(global, options)),
        Command::Release(options) => apart(|| commands::release::run(global, options)),
        Command::Explain(options) => apart(|| commands::explain::run(global, options)),
    }
}

/// Gives a command a frame of its own. Daemon and keeper live below that of `run`, which is locked
/// in memory and would have those of all commands in it.
#[inline(never)]
fn apart(command: impl FnOnce() -> Result<ExitCode, Failure>) -> Result<ExitCode, Failure> {
    command()
}
