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
    let open = || Session::open(&arguments.global);
    match &arguments.command {
        Command::Check(options) => commands::check::run(open()?, &arguments.global, options),
        Command::Status => commands::status::run(open()?),
        Command::Probe(options) => commands::probe::run(open()?, options),
        Command::Plan(Plan { recovery: None }) => commands::plan::run(open()?),
        Command::Plan(Plan { recovery: Some(mount) }) => commands::rehearse::plan(open()?, mount),
        Command::Rehearse(options) => commands::rehearse::run(open()?, &options.mount),
        Command::Apply(options) => commands::apply::run(open()?, options),
        Command::Revert => commands::revert::run(open()?),
        Command::Record(options) => commands::record::run(open()?, options),
        Command::Config(command) => commands::config::run(&arguments.global, command),
        Command::Daemon => daemon::run(&arguments.global),
        Command::Hold(options) => commands::hold::run(&arguments.global, options),
        Command::Replay(options) => commands::replay::run(&arguments.global, options),
        Command::Release(options) => commands::release::run(&arguments.global, options),
        Command::Explain(options) => commands::explain::run(&arguments.global, options),
    }
}
