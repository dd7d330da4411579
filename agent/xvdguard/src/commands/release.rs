//! `release`: ends a hold, or says that a volume which was left to a person is seen to.

use std::process::ExitCode;

use xvdguard_linux::child;
use xvdguard_linux::watch::requests;
use xvdguard_logic::policy::names;
use xvdguard_logic::recovery::world::Release;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::requests as wording;

use super::Voice;
use crate::arguments::{self, Global};
use crate::daemon::state;
use crate::exit::Failure;
use crate::terminal;

/// Runs the command.
pub fn run(global: &Global, options: &arguments::Release) -> Result<ExitCode, Failure> {
    let root = global.places().open_root().map_err(Failure::Input)?;
    if root.is_machine() && !child::is_privileged() {
        return Err(Failure::Privileges("release"));
    }
    let release = match options.mount.as_deref() {
        None => Release::Hold,
        Some("/") => Release::Volume(Text::from("/")),
        Some(mount) => Release::Volume(mount_point(mount)?),
    };
    let is_watched = |point: &Text, daemon: &state::State| {
        daemon.volumes.iter().any(|volume| volume.mount_point == *point)
    };
    let daemon = state::read(&root);
    if let (Release::Volume(point), Some(daemon)) = (&release, &daemon)
        && !is_watched(point, daemon)
    {
        let known: Vec<String> =
            daemon.volumes.iter().map(|volume| volume.mount_point.to_string()).collect();
        return Err(Failure::Usage(wording::no_such_volume(point, &known)));
    }
    if release == Release::Hold {
        requests::remove_hold(&root).map_err(Failure::Output)?;
    }
    let line = wording::released(&release, daemon.is_some());
    requests::ask_release(&root, &release).map_err(Failure::Output)?;
    if !Voice::new(global).quiet {
        terminal::print(&format!("{line}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn mount_point(shown: &str) -> Result<Text, Failure> {
    names::mount_point(shown)
        .map_err(|why| Failure::Usage(format!("MOUNT \"{}\" {why}", Text::from(shown))))
}
