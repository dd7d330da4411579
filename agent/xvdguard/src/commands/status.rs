//! `status`: disks and volumes with what is known. Sends no flush.

use std::process::ExitCode;

use xvdguard_linux::probe::judge_all;
use xvdguard_linux::reports;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::Policy;
use xvdguard_logic::verdict::report::DiskReport;
use xvdguard_logic::wording;

use super::{Session, Voice, nothing_to_guard, print_disks, say_oddities, stamp};
use crate::exit::Failure;
use crate::{json, terminal};

/// Runs the command.
pub fn run(mut session: Session) -> Result<ExitCode, Failure> {
    let mut seen = session.observe();
    let settings = session.settings_or_defaults(&mut seen);
    let earlier = reports::read_all(&session.world.root, &mut seen.oddities);
    let mut disks = judge_all(&seen, &earlier, None);
    stamp(&mut disks, &session.world);
    say_oddities(&seen, session.voice);
    if session.voice.json {
        terminal::print(&json::status(&seen, &disks));
    } else {
        print(&seen, &disks, &settings.policy, session.voice);
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
    for volume in seen.volumes.iter().filter(|_| !voice.quiet) {
        let disks: Vec<String> = volume.disks.iter().map(ToString::to_string).collect();
        let line = format!("{}  {} on {}", volume.mount_point, volume.fstype, disks.join(", "));
        terminal::print(&(line + "\n"));
    }
}
