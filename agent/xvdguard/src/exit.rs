//! Exit codes: those of sysexits.h, and 1 where a command's answer is "not good".

use std::fmt;
use std::process::ExitCode;

use xvdguard_linux::error::Error;
use xvdguard_logic::wording;

use crate::arguments::{self, Command, Notice};
use crate::config::Problems;
use crate::terminal;

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// 64: the command line asks for something that does not exist.
    Usage(String),
    /// 66: what it was to read cannot be read.
    Input(Error),
    /// 69: xenstore does not answer.
    Unreachable(Error),
    /// 70: something inside is wrong.
    Inner(String),
    /// 73: what it was to write cannot be written.
    Output(Error),
    /// 77: this needs root.
    Privileges(&'static str),
    /// 78: the configuration is wrong.
    Configuration(Problems),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::Usage(_) => 64,
            Failure::Input(_) => 66,
            Failure::Unreachable(_) => 69,
            Failure::Inner(_) => 70,
            Failure::Output(_) => 73,
            Failure::Privileges(_) => 77,
            Failure::Configuration(_) => 78,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage(why) | Failure::Inner(why) => write!(to, "{why}"),
            Failure::Input(error) | Failure::Unreachable(error) | Failure::Output(error) => {
                write!(to, "{error}")
            }
            Failure::Configuration(problems) => write!(to, "{problems}"),
            Failure::Privileges(what) => write!(to, "{what} needs root. Do: sudo xvdguard …"),
        }
    }
}

/// What `check` ends with where it could not look: a monitor takes it for UNKNOWN.
const UNKNOWN: u8 = 3;

/// Says why a command failed, in the form that its caller waits for.
pub fn failed(failure: &Failure, command: &Command) -> ExitCode {
    match command {
        Command::Check(check) if check.nagios => {
            terminal::print(&wording::check::nagios_unknown(&failure.to_string()));
            ExitCode::from(UNKNOWN)
        }
        _ => {
            terminal::say(&format!("xvdguard: error: {failure}"));
            if matches!(command, Command::Check(_)) {
                return ExitCode::from(UNKNOWN);
            }
            failure.code()
        }
    }
}

/// Shows help and version, which are no errors, or what is wrong with the command line.
pub fn notice(notice: &Notice) -> ExitCode {
    if notice.is_error {
        terminal::say(notice.text.trim_end());
        let is_check = arguments::asks_for_check(std::env::args_os());
        return ExitCode::from(if is_check { UNKNOWN } else { 64 });
    }
    terminal::print(&notice.text);
    ExitCode::SUCCESS
}
