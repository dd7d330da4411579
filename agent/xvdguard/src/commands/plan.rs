//! `plan`: what would be changed, and why. Changes nothing.

use std::process::ExitCode;

use xvdguard_logic::plan::{Plan, plan};
use xvdguard_logic::wording::plan as wording;

use super::planning::{Came, Look, Outcome};
use super::{Session, Voice, nothing_to_guard};
use crate::exit::Failure;
use crate::terminal;

/// There are changes.
const CHANGES: u8 = 10;

/// Runs the command.
pub fn run(mut session: Session) -> Result<ExitCode, Failure> {
    let plan = show(&mut session)?;
    Ok(if plan.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(CHANGES) })
}

/// Looks, and shows what would be changed.
pub fn show(session: &mut Session) -> Result<Plan, Failure> {
    let look = Look::new(session, Session::settings)?;
    let mut plan = plan(&look.situation());
    look.note_obstacle(session, &mut plan);
    let outcome = if plan.is_empty() { Outcome::Nothing } else { Outcome::Planned };
    look.show(&plan, &Came { outcome, said: Vec::new() }, session.voice);
    print_end(&look, &plan, session.voice);
    Ok(plan)
}

fn print_end(look: &Look, plan: &Plan, voice: Voice) {
    if voice.json || voice.quiet {
        return;
    }
    let line = match (&look.policy.inert, nothing_to_guard(&look.seen)) {
        (Some(word), _) => wording::inert(word),
        (None, Some(line)) if plan.is_empty() => line.into(),
        _ => wording::summary(plan),
    };
    terminal::print(&format!("{line}\n"));
}
