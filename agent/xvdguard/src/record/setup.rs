//! The files that the audit reads, and of them only what a rule looks at: others hold passwords.

use std::time::{Duration, Instant};

use xvdguard_linux::observe::setup;
use xvdguard_linux::root::Root;
use xvdguard_logic::audit::setup::kept;

use super::{Content, Entry};

/// How long the files of the root file system may take.
const WAIT: Duration = Duration::from_secs(10);

/// Adds those that are not there yet.
pub fn read(root: &Root, entries: &mut Vec<Entry>, oddities: &mut Vec<String>) {
    let files = setup::read(root, Instant::now() + WAIT, oddities).unwrap_or_else(|error| {
        oddities.push(format!("{error}; the files of the audit are not in the recording"));
        Vec::new()
    });
    for file in files.iter().filter(|file| file.is_readable) {
        let path = file.path.as_bytes().to_vec();
        if entries.iter().any(|entry| entry.path == path) {
            continue;
        }
        let below = [&path[..], b"/"].concat();
        let is_folder = files.iter().any(|other| other.path.as_bytes().starts_with(&below));
        let content = match kept(file) {
            _ if is_folder => Content::Folder,
            Some(content) => Content::File(content.as_bytes().to_vec()),
            // A mark: it matters only that it exists.
            None => Content::File(Vec::new()),
        };
        entries.push(Entry { path, content });
    }
}
