//! `apply`: carries the plan out. A second time there is nothing left to do.

use std::process::ExitCode;

use xvdguard_linux::edits::WayBack;
use xvdguard_logic::plan::plan;
use xvdguard_logic::wording::plan as wording;

use super::planning::{Came, Look, Outcome, begin, carry_out, end};
use super::{Session, plan as plan_command};
use crate::arguments::{Apply, Global};
use crate::exit::Failure;

/// What the daemon does once a boot is healthy: fstab alone, and not against a person's `revert`.
/// What was done, in sentences.
pub fn later(global: &Global) -> Result<Vec<String>, String> {
    let said = |failure: Failure| failure.to_string();
    let mut session = Session::open(global).map_err(said)?;
    let _lock = begin(&mut session, "daemon").map_err(said)?;
    let way_back = WayBack::find(&session.world.root).map_err(|error| error.to_string())?;
    if way_back.is_some_and(|it| it.is_reverted()) {
        return Ok(Vec::new());
    }
    let mut look = Look::new(&mut session, Session::settings).map_err(said)?;
    let plan = plan(&look.situation()).for_later();
    if plan.is_empty() {
        return Ok(Vec::new());
    }
    let came = carry_out(&session, &mut look, &plan);
    match came.outcome {
        Outcome::Done => Ok(came.said),
        _ => Err(came.said.join("; ")),
    }
}

/// Runs the command.
pub fn run(mut session: Session, options: &Apply) -> Result<ExitCode, Failure> {
    if options.dry_run {
        plan_command::show(&mut session)?;
        return Ok(ExitCode::SUCCESS);
    }
    let _lock = begin(&mut session, "apply")?;
    let mut look = Look::new(&mut session, Session::settings)?;
    let plan = plan(&look.situation());
    let came = match &look.policy.inert {
        Some(word) => Came { said: vec![wording::inert(word)], ..Came::default() },
        None if plan.is_empty() => Came { said: vec![wording::summary(&plan)], ..Came::default() },
        None => carry_out(&session, &mut look, &plan),
    };
    if let Some(way_back) = WayBack::find(&session.world.root).map_err(Failure::Output)? {
        way_back.forget_reverted().map_err(Failure::Output)?;
    }
    Ok(end(&look, &plan, &came, session.voice))
}
