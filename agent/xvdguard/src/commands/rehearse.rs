//! `rehearse MOUNT` and `plan --recovery MOUNT`: what a recovery would do, tried as far as that
//! harms nobody.
//!
//! Never stops, unmounts or checks anything. `rehearse` writes one new file, as the daemon would
//! on suspicion; `plan --recovery` only looks.

use std::process::ExitCode;

use xvdguard_linux::watch::errors::mount_of;
use xvdguard_linux::{child, recover};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::names;
use xvdguard_logic::recovery::effects::{Deed, Effect, Outcome, Target};
use xvdguard_logic::text::Text;
use xvdguard_logic::volume::Volume;
use xvdguard_logic::wording::rehearse as wording;

use super::Session;
use crate::exit::Failure;
use crate::terminal;

/// No step of a rehearsal may take longer; a disk that does is no proof.
const STEP_MS: u64 = 30_000;

/// Runs `rehearse`.
pub fn run(mut session: Session, mount: &str) -> Result<ExitCode, Failure> {
    if !child::is_privileged() {
        return Err(Failure::Privileges("rehearse"));
    }
    let seen = session.observe();
    let target = find(&seen, mount)?;
    let mut deeds: Vec<Deed> = disks(&seen, &target).into_iter().map(Deed::AskDisk).collect();
    deeds.push(Deed::ReadIdentity(target.clone()));
    deeds.push(Deed::ListUsers(target.clone()));
    deeds.push(Deed::ProbeWrite(target.clone()));
    let mut is_good = true;
    for deed in deeds {
        let outcome = tried(&session, &deed)?;
        let line = wording::tried(&deed, &outcome);
        is_good &= line.is_good;
        terminal::print(&format!("{}\n", line.text));
    }
    for missing in xvdguard_linux::process::programs_missing(&session.world.root, [&target.fstype])
    {
        is_good = false;
        terminal::print(&format!("{}\n", wording::missing(&missing)));
    }
    terminal::print(&format!("{}\n", wording::end(is_good)));
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs `plan --recovery`.
pub fn plan(mut session: Session, mount: &str) -> Result<ExitCode, Failure> {
    if !child::is_privileged() {
        return Err(Failure::Privileges("plan --recovery"));
    }
    let seen = session.observe();
    let target = find(&seen, mount)?;
    let outcome = tried(&session, &Deed::ListUsers(target.clone()))?;
    let is_possible = matches!(&outcome, Outcome::Users(users) if users.others.is_empty());
    for line in wording::plan(&target, &outcome) {
        terminal::print(&format!("{line}\n"));
    }
    Ok(if is_possible { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn find(seen: &Observation, mount: &str) -> Result<Target, Failure> {
    let point = names::mount_point(mount)
        .map_err(|why| Failure::Usage(format!("MOUNT \"{}\" {why}", Text::from(mount))))?;
    let volume = seen.volumes.iter().find(|volume| volume.mount_point == point);
    let found = volume.and_then(|volume| target(seen, volume));
    found.ok_or_else(|| {
        let known: Vec<String> =
            seen.volumes.iter().map(|volume| volume.mount_point.to_string()).collect();
        Failure::Usage(xvdguard_logic::wording::requests::no_such_volume(&point, &known))
    })
}

/// The mount of a volume as it is now.
fn target(seen: &Observation, volume: &Volume) -> Option<Target> {
    let mount = mount_of(&seen.mounts, volume.device, volume.mount_point.as_bytes())?;
    Some(Target {
        device: volume.device,
        device_name: volume.device_name.clone(),
        mount_point: volume.mount_point.clone(),
        fstype: volume.fstype.clone(),
        mount_id: mount.id,
        options: Text::default(),
    })
}

fn disks(seen: &Observation, target: &Target) -> Vec<Text> {
    let volume = seen.volumes.iter().find(|volume| volume.device == target.device);
    volume.map(|volume| volume.disks.clone()).unwrap_or_default()
}

fn tried(session: &Session, deed: &Deed) -> Result<Outcome, Failure> {
    let effect = Effect { id: 0, deadline_ms: Some(STEP_MS), deed: deed.clone() };
    let mut job = recover::begin(&session.world.root, &effect).map_err(Failure::Output)?;
    job.wait();
    Ok(recover::outcome(job.finish()))
}
