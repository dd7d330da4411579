//! The configuration: files to settings, or everything that is wrong with them at once.
//!
//! Never half of it: where one file is wrong, nothing of any file holds. The keys themselves and
//! what they take are `xvdguard_logic::policy`'s.

mod document;
mod lines;
mod problem;
mod reader;
pub mod show;
mod suggestion;

use std::path::Path;
use std::time::{Duration, Instant};

use xvdguard_linux::configuration::{self, ConfigFile, Found};
use xvdguard_linux::observe::machine;
use xvdguard_linux::reports;
use xvdguard_linux::root::Root;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::policy::{Policy, frozen};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::config as wording;

pub use problem::{Problem, Problems};

/// How long the file system that the files lie on may take.
pub const WAIT: Duration = Duration::from_secs(5);

/// What the line with the hash adds to a frozen policy.
const HASH_BYTES: usize = 32;

/// What the files say, on top of the defaults; the kernel command line has not been heard yet.
#[derive(Debug, Default)]
pub struct Configuration {
    /// For `Settings::effective`.
    pub settings: Settings,
    /// The files that were read, the strongest last.
    pub files: Vec<Text>,
    /// What lies among them and does not count for its name.
    pub passed_over: Vec<Text>,
}

/// Reads all files below the root, or the one that a person named instead of them.
pub fn load(root: &Root, named: Option<&Path>) -> Result<Configuration, Problems> {
    let found = match named {
        Some(path) => configuration::named(path),
        None => configuration::find(root, Instant::now() + WAIT),
    };
    understand(found)
}

/// Whether early boot of this boot reported another policy than that of the files, by its hash.
pub fn is_image_stale(root: &Root, hash: &Text) -> bool {
    let Ok(Some(boot_id)) = root.read_text(machine::BOOT_ID.as_bytes()) else { return false };
    let Ok(Some(early)) = reports::read(root, reports::EARLY) else { return false };
    let carried = early.policy_hash.unwrap_or_else(|| frozen::hash(&Policy::default()));
    early.boot_id == Some(boot_id) && carried != *hash
}

/// What these files say.
pub fn understand(found: Found) -> Result<Configuration, Problems> {
    let mut read = Configuration { passed_over: found.passed_over, ..Configuration::default() };
    let mut problems = Vec::new();
    for file in found.files {
        read.files.push(file.name.clone());
        problems.extend(take(file, &mut read.settings));
    }
    problems.extend(too_long(&read));
    if problems.is_empty() { Ok(read) } else { Err(Problems { list: problems, files: read.files }) }
}

/// Puts what one file says over what the ones before it said.
fn take(file: ConfigFile, settings: &mut Settings) -> Vec<Problem> {
    let content = match &file.content {
        Ok(content) => document::without_mark(content.as_bytes()),
        Err(error) => return vec![Problem::of_file(file.name, error.clone())],
    };
    match document::text(content) {
        Ok(text) => reader::read(&file.name, text, settings),
        Err(found) => problem::place(&file.name, content, vec![found]),
    }
}

/// What early boot would refuse to read is wrong already here.
fn too_long(read: &Configuration) -> Option<Problem> {
    let bytes = frozen::print(&read.settings.policy).len() + HASH_BYTES;
    let file = read.files.last()?;
    let text = wording::too_long_for_early_boot(bytes, frozen::MAX_BYTES);
    (bytes > frozen::MAX_BYTES).then(|| Problem::of_file(file.clone(), format!("{file}: {text}")))
}
