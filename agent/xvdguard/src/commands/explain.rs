//! `explain`: the story of a kernel log. Reads it, changes nothing.

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use xvdguard_linux::clock;
use xvdguard_linux::error::Error;
use xvdguard_linux::log_source::LogSource;
use xvdguard_linux::observe::block_devices;
use xvdguard_linux::root::Root;
use xvdguard_linux::whole_file::Kept;
use xvdguard_logic::block::BlockTree;
use xvdguard_logic::explain::Explainer;
use xvdguard_logic::explain::story::Story;
use xvdguard_logic::wording::explain::{self, Detail};

use super::Voice;
use crate::arguments::{Explain, Global};
use crate::exit::Failure;
use crate::{json, output, picture, terminal};

/// Exit code where the log holds findings.
const FINDINGS: u8 = 10;

/// Runs the command.
pub fn run(global: &Global, options: &Explain) -> Result<ExitCode, Failure> {
    let voice = Voice::new(global);
    let root = global.places().open_root().map_err(Failure::Input)?;
    let named = options.file.as_ref().or(global.kernel_log.as_ref());
    let source = match named {
        Some(file) if file.as_os_str() == "-" => LogSource::standard_input(),
        Some(file) => LogSource::named(file.as_os_str().as_bytes()).map_err(Failure::Input)?,
        None => LogSource::of(&root).map_err(unreadable)?,
    };
    // A log that somebody brought says nothing about this machine's disks.
    let is_ours = named.is_none() || global.root.is_some();
    let tree = if is_ours { tree(&root, voice) } else { BlockTree::default() };
    let mut explainer = Explainer::new(tree, options.kernel);
    source.read(|piece| explainer.take(piece)).map_err(Failure::Input)?;
    let story = explainer.finish();
    tell(&story, voice, named.is_none() && root.is_machine());
    if let Some(file) = &options.picture {
        output::write(file, picture::svg(&story).as_bytes(), Kept::ThisBoot)?;
    }
    let code = if story.has_findings() { FINDINGS } else { 0 };
    Ok(ExitCode::from(code))
}

fn tell(story: &Story, voice: Voice, is_live: bool) {
    if voice.json {
        let booted_us = is_live.then(|| (clock::unix_ms() - clock::boot_ms() as i64) * 1000);
        return terminal::print(&json::explain::document(story, booted_us));
    }
    let detail = match voice {
        Voice { quiet: true, .. } => Detail::Gist,
        Voice { verbose: true, .. } => Detail::All,
        _ => Detail::Story,
    };
    for line in explain::tell(story, detail) {
        terminal::print(&(voice.paint.story(&line) + "\n"));
    }
}

/// What proves that two names are one thing.
fn tree(root: &Root, voice: Voice) -> BlockTree {
    let mut oddities = Vec::new();
    let tree = block_devices::read_tree(root, &mut oddities);
    for oddity in oddities.iter().filter(|_| voice.verbose && !voice.json) {
        terminal::say(&format!("xvdguard: note: {oddity}"));
    }
    tree
}

/// dmesg_restrict keeps this machine's log from everybody but root.
fn unreadable(error: Error) -> Failure {
    if error.is_denied() {
        Failure::Privileges("reading the kernel log")
    } else {
        Failure::Input(error)
    }
}
