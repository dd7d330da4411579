//! `hold`: no automatic action until it is released or over. Works with and without a daemon.

use std::process::ExitCode;

use xvdguard_linux::watch::requests;
use xvdguard_linux::{child, clock};
use xvdguard_logic::recovery::world::Hold;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::requests as wording;

use super::Voice;
use crate::arguments::{self, Global};
use crate::exit::Failure;
use crate::terminal;

/// Runs the command.
pub fn run(global: &Global, options: &arguments::Hold) -> Result<ExitCode, Failure> {
    let root = global.places().open_root().map_err(Failure::Input)?;
    if root.is_machine() && !child::is_privileged() {
        return Err(Failure::Privileges("hold"));
    }
    let now_ms = clock::boot_ms();
    let until_ms = options.time.map(|time| now_ms.saturating_add(time.as_millis() as u64));
    let hold = Hold {
        by: who(),
        mark: Text::from(now_ms.to_string()),
        why: options.why.as_deref().map(Text::from),
        until_ms,
    };
    requests::put_hold(&root, &hold).map_err(Failure::Output)?;
    if !Voice::new(global).quiet {
        terminal::print(&format!("{}\n", wording::held(options.time)));
    }
    Ok(ExitCode::SUCCESS)
}

/// The person behind sudo(8), else whoever logged in.
fn who() -> Text {
    let name = ["SUDO_USER", "LOGNAME", "USER"].into_iter().find_map(std::env::var_os);
    name.map_or_else(|| Text::from("root"), |name| Text::from(name.into_encoded_bytes()))
}
