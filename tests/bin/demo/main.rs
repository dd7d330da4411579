//! `make demo`: xvdguard on broken storage, told in acts, on this machine.
//!
//! Each step is a command that a person could type, what it printed, and what was expected of it;
//! the first thing that is not as told ends the demo with 1. What an act made goes away with it,
//! also after Ctrl-C. Touches no disk, no mount and no xenstore of the machine it runs on; its
//! kernel log alone keeps the lines about the file system that dies.

mod acts;
mod cast;
mod guarded_guest;
mod kernel_log;
mod screen;
mod show;
mod signals;
mod stage;
mod stand_in;

use std::process::ExitCode;
use std::time::Instant;

use harness::failure::Failure;
use harness::namespace::enter_private_mounts;

use screen::Screen;
use show::{End, Show};
use signals::Interrupt;

/// As a shell says it of a program that SIGINT ended.
const INTERRUPTED: u8 = 130;

fn main() -> ExitCode {
    let started = Instant::now();
    let screen = Screen::new();
    let result = play_all(screen);
    let seconds = started.elapsed().as_secs_f32();
    match result {
        Ok(kept) => {
            let acts = acts::ALL.len();
            let line = format!(
                "The story is true: {acts} acts, {kept} expectations met, {seconds:.1} seconds."
            );
            screen.good(&line);
            ExitCode::SUCCESS
        }
        Err((act, End::Untrue(what))) => {
            screen.bad(&format!("The story is not true. {act}: {what}."));
            ExitCode::FAILURE
        }
        Err((act, End::Failed(failure))) => {
            screen.bad(&format!("The demo cannot go on. {act}: {failure}"));
            ExitCode::FAILURE
        }
        Err((act, End::Interrupted)) => {
            screen.bad(&format!("Interrupted. {act}: all that it made is taken away."));
            ExitCode::from(INTERRUPTED)
        }
    }
}

/// Plays act after act; returns how many expectations were met, or where it ended and how.
fn play_all(screen: Screen) -> Result<usize, (String, End)> {
    let before = |end: End| ("Before the first act".to_owned(), end);
    let interrupt = prepare().map_err(|failure| before(failure.into()))?;
    cast::introduce(screen);
    let mut show = Show::new(screen, interrupt);
    for (number, act) in (1..).zip(acts::ALL) {
        let title = format!("Act {number}, {}", act.title);
        show.title(&title);
        (act.play)(&mut show).map_err(|end| (title, end))?;
    }
    Ok(show.kept())
}

/// While there is one thread: every later thread and program shall be inside.
fn prepare() -> Result<Interrupt, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new("it needs root: it mounts, and makes a loop device"));
    }
    let interrupt = signals::watch()?;
    enter_private_mounts()?;
    Ok(interrupt)
}
