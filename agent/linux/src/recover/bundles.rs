//! Evidence bundles and recordings as files: `/var/lib/xvdguard/record`; where the disk of that
//! takes nothing `.xvdguard/record` of a healthy volume, or `/run/xvdguard/record`. Whole files,
//! the newest of them, at most 6 MiB in a folder.
//!
//! Runs in a child: that disk may be sick, too.

use std::borrow::Cow;
use std::time::Duration;

use xvdguard_logic::order;
use xvdguard_logic::recovery::effects::{FailureKind, Outcome};
use xvdguard_logic::text::Text;

use super::{Refusal, refusal};
use crate::error::Result;
use crate::job::{Job, Limit};
use crate::root::Root;
use crate::whole_file::{self, Kept};

/// Where a file goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// A folder that is there.
    above: Cow<'static, [u8]>,
    /// Ours in it.
    ours: &'static str,
}

/// Where a bundle outlasts this boot.
pub const LASTING: Place = Place { above: Cow::Borrowed(b"var/lib"), ours: "xvdguard" };
/// Where it is in memory.
pub const IN_MEMORY: Place = Place { above: Cow::Borrowed(b"run"), ours: "xvdguard" };
/// The folder in each.
const FOLDER: &str = "record";

impl Place {
    /// On a volume that is none of ours: where it outlasts this boot although root takes nothing.
    pub fn on(mount_point: &Text) -> Place {
        let bytes = mount_point.as_bytes();
        let above = bytes.strip_prefix(b"/").unwrap_or(bytes).to_vec();
        Place { above: Cow::Owned(above), ours: ".xvdguard" }
    }

    /// The path of a file in it.
    pub fn path(&self, name: &str) -> String {
        format!("/{}/{}/{FOLDER}/{name}", Text::from(&*self.above), self.ours)
    }
}
/// How the name of a file begins.
pub const PREFIX: &str = "incident-";

/// What is kept of an incident: 6 MiB in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// How the name of a file ends.
    pub ending: &'static str,
    /// What one of them may have.
    pub bytes: usize,
    /// Files that are kept.
    most: usize,
}

/// The evidence bundle.
pub const BUNDLE: Kind = Kind { ending: ".json", bytes: 256 * 1024, most: 16 };
/// The recording of the daemon's turns, for `replay`.
pub const RECORDING: Kind = Kind { ending: ".turns", bytes: 512 * 1024, most: 4 };
/// How long the disk may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Begins to write one.
pub fn begin(root: &Root, place: &Place, name: &str, content: &[u8]) -> Result<Job> {
    let task = Box::new(|| {
        let written = root.reopen().and_then(|root| put(&root, place, name, content));
        let outcome = written.map(|()| Outcome::Done);
        super::encode(&outcome.unwrap_or_else(|error| Outcome::Failed(failed(error))))
    });
    Job::start(task, Limit::Within(WITHIN))
}

fn failed(error: crate::error::Error) -> Refusal {
    refusal(FailureKind::Storage, error)
}

fn put(root: &Root, place: &Place, name: &str, content: &[u8]) -> Result<()> {
    let ours_in = whole_file::folder(root, &place.above, place.ours, Kept::ForGood)?;
    let folder = whole_file::folder(&ours_in, b".", FOLDER, Kept::ForGood)?;
    whole_file::put(&folder, name, content, Kept::ForGood)?;
    prune(&folder)
}

/// The names count up with time: the oldest of each kind go.
fn prune(folder: &Root) -> Result<()> {
    let names = folder.names()?;
    [BUNDLE, RECORDING].into_iter().try_for_each(|Kind { ending, most, .. }| {
        let is_it =
            |name: &&str| name.starts_with(PREFIX) && name.as_bytes().ends_with(ending.as_bytes());
        let mut files: Vec<&str> = names.iter().filter_map(Text::as_str).filter(is_it).collect();
        order::sort(&mut files);
        let surplus = files.len().saturating_sub(most);
        files[..surplus].iter().try_for_each(|name| whole_file::remove(folder, name, Kept::ForGood))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_newest_of_each_kind_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        for number in 0..20 {
            for Kind { ending, .. } in [BUNDLE, RECORDING] {
                let name = format!("{PREFIX}{number:010}-xvdb{ending}");
                let mut job = begin(&root, &LASTING, &name, b"{}").unwrap();
                job.wait();
                assert_eq!(super::super::outcome(job.finish()), Outcome::Done);
            }
        }
        let folder = dir.path().join("var/lib/xvdguard/record");
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), BUNDLE.most + RECORDING.most);
        assert_eq!(names[0], "incident-0000000004-xvdb.json");
        assert!(names.contains(&"incident-0000000016-xvdb.turns".into()), "{names:?}");
        let bytes = |kind: Kind| kind.bytes * kind.most;
        assert!(bytes(BUNDLE) + bytes(RECORDING) <= 8 << 20);
    }
}
