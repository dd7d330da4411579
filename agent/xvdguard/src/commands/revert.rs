//! `revert`: takes back what is ours, in fstab to the byte; refuses where somebody changed it
//! since. What a person took back, the daemon does not write again.

use std::process::ExitCode;

use xvdguard_linux::edits::WayBack;
use xvdguard_logic::fstab::Fstab;
use xvdguard_logic::plan::{Finding, Plan, revert};
use xvdguard_logic::wording::{apply as said, plan as wording};

use super::Session;
use super::planning::{Came, Look, Outcome, begin, carry_out, end};
use crate::exit::Failure;
use crate::{diff, terminal};

/// Runs the command.
pub fn run(mut session: Session) -> Result<ExitCode, Failure> {
    let _lock = begin(&mut session, "revert")?;
    // The way back must not depend on what a person wants now.
    let settings = |session: &Session, seen: &mut _| Ok(session.settings_or_defaults(seen));
    let mut look = Look::new(&mut session, settings)?;
    let root = &session.world.root;
    let way_back = WayBack::find(root).map_err(Failure::Input)?;
    let (original, record) = match &way_back {
        Some(way_back) => (way_back.original(), way_back.record()),
        None => (Ok(None), Ok(None)),
    };
    let original = original.map_err(Failure::Input)?;
    let record = record.map_err(Failure::Input)?;
    match revert(&look.situation(), record.as_ref()) {
        Ok(plan) => {
            // Before fstab, so that no kill in between lets the daemon write it again.
            if plan.new_fstab.is_some() {
                WayBack::open(root)
                    .and_then(|way_back| way_back.note_reverted())
                    .map_err(Failure::Output)?;
            }
            let mut came = match plan.is_empty() {
                true => Came { said: vec![said::NOTHING_OF_OURS.into()], ..Came::default() },
                false => carry_out(&session, &mut look, &plan),
            };
            match &plan.new_fstab {
                Some(new) if came.outcome == Outcome::Done => {
                    came.said.push(how_exact(new, original.as_deref()).into());
                    came.said.push(said::STAYS_REVERTED.into());
                }
                Some(_) => {}
                // What a person took back by hand needs no way back either.
                None => way_back.map_or(Ok(()), |it| it.forget()).map_err(Failure::Output)?,
            }
            Ok(end(&look, &plan, &came, session.voice))
        }
        Err(findings) => Ok(refuse(&look, findings, original.as_deref(), &session)),
    }
}

fn how_exact(new: &Fstab, original: Option<&[u8]>) -> &'static str {
    match original {
        None => said::NO_ORIGINAL,
        Some(original) if original == new.to_bytes() => said::EXACT,
        Some(_) => said::ONLY_OURS,
    }
}

/// Somebody changed lines of ours: which, and how fstab differs from what it was.
fn refuse(
    look: &Look,
    findings: Vec<Finding>,
    original: Option<&[u8]>,
    session: &Session,
) -> ExitCode {
    let mut said: Vec<String> = findings.iter().map(wording::finding).collect();
    said.push(said::NOT_REVERTED.into());
    if let Some(original) = original.filter(|_| !session.voice.json) {
        let names = ["/etc/fstab", "/var/lib/xvdguard/fstab.orig"];
        terminal::print(&diff::unified(look.table.fstab.to_bytes(), original, names));
    }
    let plan = Plan { findings, ..Plan::default() };
    end(look, &plan, &Came { outcome: Outcome::Failed, said }, session.voice)
}
