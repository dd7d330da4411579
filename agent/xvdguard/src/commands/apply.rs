//! `apply`: carries the plan out. A second time there is nothing left to do.

use std::process::ExitCode;

use xvdguard_logic::plan::plan;
use xvdguard_logic::wording::plan as wording;

use super::planning::{Came, Look, begin, carry_out, end};
use super::{Session, plan as plan_command};
use crate::arguments::Apply;
use crate::exit::Failure;

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
    Ok(end(&look, &plan, &came, session.voice))
}
