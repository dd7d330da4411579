//! What a recording holds: the files that observation reads, and xenstore's answers as a listing.
//!
//! Only what is needed: of an administrator's files the lines that the audit looks at. Never what
//! user space wrote to the kernel log, never the content of a disk; names of the machine only where
//! they are not asked to be left out.

pub mod archive;
mod files;
mod kernel_log;
mod names;
mod setup;

use xvdguard_linux::root::Root;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::order;

/// Where the listing of xenstore is in the archive.
pub const LISTING: &str = "xenstore.txt";

/// One thing in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Path without a leading slash.
    pub path: Vec<u8>,
    /// What is there.
    pub content: Content,
}

/// What is at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A file's bytes.
    File(Vec<u8>),
    /// An empty directory.
    Folder,
    /// A symbolic link's target.
    Link(Vec<u8>),
}

/// Everything that goes into the archive.
pub fn entries(root: &Root, seen: &mut Observation, anonymous: bool) -> Vec<Entry> {
    let mut entries = files::read(root, seen, anonymous);
    entries.extend(kernel_log::read(root, &mut seen.oddities));
    setup::read(root, &mut entries, &mut seen.oddities);
    let listing = listing(seen);
    if !listing.is_empty() {
        let content = Content::File(listing.into_bytes());
        entries.push(Entry { path: LISTING.into(), content });
    }
    if anonymous {
        names::hide(root, &mut entries);
    }
    order::sort_by(&mut entries, |one, other| one.path.cmp(&other.path));
    entries
}

/// The keys that were read, as `xenstore-ls -f` prints them. The escapes of `Text` are among those
/// that a listing may have.
fn listing(seen: &Observation) -> String {
    let mut lines = String::new();
    for vbd in seen.disks.iter().filter_map(|disk| disk.vbd.as_ref()) {
        let Some(backend) = &vbd.backend_path else { continue };
        let frontend = format!("device/vbd/{}", vbd.id);
        lines.push_str(&format!("{frontend}/backend = \"{backend}\"\n"));
        for (key, value) in vbd.frontend.iter() {
            lines.push_str(&format!("{frontend}/{key} = \"{value}\"\n"));
        }
        for (key, value) in vbd.backend.iter() {
            lines.push_str(&format!("{backend}/{key} = \"{value}\"\n"));
        }
    }
    lines
}
