//! Runs the steps of an act: shows a command, what it printed, and whether that was expected.
//!
//! Never goes on after something that was not expected, nor after a signal.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use harness::failure::{Failure, Tried};

use crate::screen::Screen;
use crate::signals::{self, Interrupt};

/// Why a show ended before its end.
#[derive(Debug)]
pub enum End {
    /// Something was not as told.
    Untrue(String),
    /// What the story needs could not be made.
    Failed(Failure),
    /// A signal asked for it.
    Interrupted,
}

impl From<Failure> for End {
    fn from(failure: Failure) -> End {
        End::Failed(failure)
    }
}

/// Where commands are run.
pub trait World {
    /// A command line, ready to run; both outputs become one.
    fn command(&self, line: &str) -> Result<Command, Failure>;

    /// Paths as a person there would write them.
    fn shortened(&self, text: &str) -> String {
        text.to_owned()
    }

    /// What somebody else has done meanwhile, if anything.
    fn said(&self) -> Result<Option<&'static str>, Failure> {
        Ok(None)
    }
}

/// The show.
#[derive(Debug)]
pub struct Show {
    screen: Screen,
    interrupt: Interrupt,
    kept: usize,
}

/// A command that was run, to be compared with what was expected of it.
#[derive(Debug)]
#[must_use = "a step without an expectation proves nothing"]
pub struct Step<'a> {
    show: &'a mut Show,
    command: String,
    output: String,
    code: i32,
}

impl Show {
    /// A show that has not begun.
    pub fn new(screen: Screen, interrupt: Interrupt) -> Show {
        Show { screen, interrupt, kept: 0 }
    }

    /// How many expectations were met.
    pub fn kept(&self) -> usize {
        self.kept
    }

    /// Begins an act.
    pub fn title(&self, title: &str) {
        self.screen.title(title);
    }

    /// Says what the next steps are about.
    pub fn say(&self, text: &str) {
        self.screen.say(text);
    }

    /// Shows a command and what it prints.
    pub fn run(&mut self, world: &impl World, command: &str) -> Result<Step<'_>, End> {
        self.interrupt.check()?;
        self.screen.command(command);
        let output = world.command(command)?.output().tried(format_args!("run {command}"))?;
        self.interrupt.check()?;
        let code = exit_code(output.status)?;
        let output = world.shortened(&String::from_utf8_lossy(&output.stdout));
        self.screen.output(&output);
        if let Some(said) = world.said()? {
            self.screen.aside(said);
        }
        Ok(Step { show: self, command: command.to_owned(), output, code })
    }

    /// Shows a command and what it would print, for what was read without it.
    pub fn quote(&mut self, command: &str, output: String) -> Step<'_> {
        self.screen.command(command);
        self.screen.output(&output);
        Step { show: self, command: command.to_owned(), output, code: 0 }
    }
}

impl Step<'_> {
    /// What the command printed.
    pub fn output(&self) -> &str {
        &self.output
    }

    /// What it exited with.
    pub fn code(&self) -> i32 {
        self.code
    }

    /// Expects an exit code, and says what it stands for.
    pub fn exits_with(self, code: i32, meaning: &str) -> Result<(), End> {
        let expected = format!("exit {code}, {meaning}");
        let came = if self.code == code { expected.clone() } else { format!("exit {}", self.code) };
        self.expect(&expected, &came)
    }

    /// Compares what was expected with what came, in the same words.
    pub fn expect(self, expected: &str, came: &str) -> Result<(), End> {
        let Step { show, command, .. } = self;
        if expected == came {
            show.screen.kept(expected);
            show.kept += 1;
            return Ok(());
        }
        show.screen.broken(expected, came);
        let what = format!("`{command}`: expected \"{expected}\", came \"{came}\"");
        Err(End::Untrue(what))
    }
}

/// As a shell counts. Ctrl-C reaches the command too, and may end it before we know of it.
fn exit_code(status: ExitStatus) -> Result<i32, End> {
    match status.signal() {
        Some(signal) if signals::asks_to_end(signal) => Err(End::Interrupted),
        Some(signal) => Ok(128 + signal),
        None => Ok(status.code().unwrap_or_default()),
    }
}
