//! What a person asks of the daemon: files in `/run/xvdguard`, which is memory.
//!
//! `hold` says no automatic action, `release-…` that something was seen to. Both work while no
//! daemon runs: the next one finds them.

use std::time::Instant;

use xvdguard_logic::recovery::world::{Hold, Release};
use xvdguard_logic::text::Text;

use crate::clock;
use crate::error::Result;
use crate::reports::FOLDER;
use crate::root::Root;
use crate::whole_file::{self, Kept};
use crate::xenstore::Source;

/// The file of a hold.
pub const HOLD: &str = "hold";
/// How the name of a release begins.
pub const RELEASE: &str = "release-";
/// Where the host says that it holds, relative to the domain's own home.
pub const HOST_HOLD: &str = "data/xvdguard/hold";

/// Who holds then.
pub const HOST: &str = "host";

/// The hold that a person of this guest asked for.
pub fn hold(root: &Root) -> Result<Option<Hold>> {
    let path = [FOLDER, b"/", HOLD.as_bytes()].concat();
    whole_file::read_document(root, &path, "xvdguard release")
}

/// The hold that the host asks for: any content of the node but nothing and 0.
pub fn host_hold(xenstore: Option<&mut Source>, deadline: Instant) -> Option<Hold> {
    let Some(Source::Live(client)) = xenstore else { return None };
    let mark = client.read(HOST_HOLD, deadline).ok()?;
    let is_set = !mark.is_empty() && mark != "0";
    is_set.then(|| Hold { by: Text::from(HOST), mark, why: None, until_ms: None })
}

/// Puts a hold there.
pub fn put_hold(root: &Root, hold: &Hold) -> Result<()> {
    let folder = whole_file::folder(root, b"run", "xvdguard", Kept::ThisBoot)?;
    whole_file::put_document(&folder, HOLD, hold, Kept::ForGood)
}

/// Takes the hold of this guest away.
pub fn remove_hold(root: &Root) -> Result<()> {
    let folder = whole_file::folder(root, b"run", "xvdguard", Kept::ThisBoot)?;
    whole_file::remove(&folder, HOLD, Kept::ThisBoot)
}

/// Leaves a release for the daemon.
pub fn ask_release(root: &Root, release: &Release) -> Result<()> {
    let folder = whole_file::folder(root, b"run", "xvdguard", Kept::ThisBoot)?;
    let name = format!("{RELEASE}{}-{}", clock::boot_ms(), std::process::id());
    whole_file::put_document(&folder, &name, release, Kept::ForGood)
}

/// Takes all releases; what cannot be read is taken away all the same.
pub fn take_releases(root: &Root) -> Vec<Release> {
    let Ok(folder) = root.enter(FOLDER) else { return Vec::new() };
    let names = folder.names().unwrap_or_default();
    let mut taken = Vec::new();
    for name in names.iter().filter(|name| name.starts_with(RELEASE)) {
        let Some(name) = name.as_str() else { continue };
        let asked = whole_file::read_document::<Release>(&folder, name.as_bytes(), "");
        taken.extend(asked.ok().flatten());
        let _ = whole_file::remove(&folder, name, Kept::ThisBoot);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;

    #[test]
    fn what_was_asked_is_found_once() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("run")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        assert_eq!(hold(&root), Ok(None));
        assert_eq!(take_releases(&root), []);
        let asked = Hold {
            by: Text::from("root"),
            mark: Text::from("1"),
            why: Some(Text::from("a \"test\"\n")),
            until_ms: Some(7),
        };
        put_hold(&root, &asked).unwrap();
        assert_eq!(hold(&root), Ok(Some(asked)));
        remove_hold(&root).unwrap();
        assert_eq!(hold(&root), Ok(None));
        let volume = Release::Volume(Text::from(&b"/srv/\xff"[..]));
        ask_release(&root, &volume).unwrap();
        assert_eq!(take_releases(&root), [volume]);
        assert_eq!(take_releases(&root), []);
    }
}
