//! `status`: disks and volumes with what is known. Sends no flush.

use std::process::ExitCode;

use xvdguard_linux::probe::judge_all;
use xvdguard_linux::reports;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::Policy;
use xvdguard_logic::verdict::report::DiskReport;
use xvdguard_logic::wording;

use super::{Session, Voice, nothing_to_guard, print_disks, say_oddities, stamp};
use crate::daemon::state::{self, State};
use crate::exit::Failure;
use crate::{json, terminal};

/// Runs the command.
pub fn run(mut session: Session) -> Result<ExitCode, Failure> {
    let mut seen = session.observe();
    let settings = session.settings_or_defaults(&mut seen);
    let earlier = reports::read_all(&session.world.root, &mut seen.oddities);
    let mut disks = judge_all(&seen, &earlier, None);
    stamp(&mut disks, &session.world);
    let daemon = state::read(&session.world.root);
    say_oddities(&seen, session.voice);
    if session.voice.json {
        terminal::print(&json::status(&seen, &disks, daemon.as_ref()));
    } else {
        print(&seen, &disks, &settings.policy, session.voice);
        print_volumes(&seen, daemon.as_ref(), session.voice);
    }
    Ok(ExitCode::SUCCESS)
}

fn print(seen: &Observation, disks: &[DiskReport], policy: &Policy, voice: Voice) {
    if let Some(line) = nothing_to_guard(seen) {
        return terminal::print(&format!("{line}\n"));
    }
    if !voice.quiet {
        let kernel = seen.kernel.map_or("unknown".into(), |kernel| kernel.to_string());
        terminal::print(&format!("{}, kernel {kernel}\n", seen.xen));
        let policy = wording::status::policy(policy);
        policy.iter().for_each(|line| terminal::print(&format!("{line}\n")));
    }
    print_disks(&disks.iter().collect::<Vec<_>>(), seen, voice);
}

/// The volumes, with what the daemon knows of them; without it only where they are.
fn print_volumes(seen: &Observation, daemon: Option<&State>, voice: Voice) {
    if voice.quiet || nothing_to_guard(seen).is_some() {
        return;
    }
    for volume in &seen.volumes {
        let watched = daemon.and_then(|state| state.volume(&volume.mount_point));
        let health = watched.map(|watched| watched.health.as_str());
        let line = wording::status::volume(volume, health);
        terminal::print(&(line + "\n"));
        let next = watched.and_then(|watched| watched.next.as_ref());
        next.iter().for_each(|next| terminal::print(&format!("    {next}\n")));
        let bundle = watched.and_then(|watched| watched.bundle.as_ref());
        bundle.iter().for_each(|path| terminal::print(&format!("    last incident: {path}\n")));
    }
    match daemon {
        Some(state) => {
            terminal::print(&format!("daemon: {}\n", state.sentence));
            let missing = state.missing.iter().map(|what| wording::daemon::missing(what));
            missing.for_each(|line| terminal::print(&format!("    {line}\n")));
        }
        None => terminal::print(&format!("{}\n", wording::status::NO_DAEMON)),
    }
}
