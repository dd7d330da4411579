//! Evidence bundles as files: `/var/lib/xvdguard/record`, or `/run/xvdguard/record` where the disk
//! of the first takes nothing. Whole files, the newest of them, at most 8 MiB in all.
//!
//! Runs in a child: that disk may be sick, too.

use std::time::Duration;

use xvdguard_logic::recovery::effects::{FailureKind, Outcome};
use xvdguard_logic::text::Text;

use super::{Refusal, refusal};
use crate::error::Result;
use crate::job::{Job, Limit};
use crate::root::Root;
use crate::whole_file::{self, Kept};

/// Where a bundle outlasts this boot.
pub const LASTING: (&[u8], &str) = (b"var/lib", "xvdguard");
/// Where it is in memory.
pub const IN_MEMORY: (&[u8], &str) = (b"run", "xvdguard");
/// The folder in either.
pub const FOLDER: &str = "record";
/// How the name of a bundle begins.
pub const PREFIX: &str = "incident-";
/// Bundles that are kept.
const MOST: usize = 16;
/// What one of them may have: 8 MiB in all.
pub const BYTES: usize = 512 * 1024;
/// How long the disk may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Begins to write one.
pub fn begin(root: &Root, place: (&[u8], &str), name: &str, content: &[u8]) -> Result<Job> {
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

fn put(root: &Root, (above, ours): (&[u8], &str), name: &str, content: &[u8]) -> Result<()> {
    let ours_in = whole_file::folder(root, above, ours, Kept::ForGood)?;
    let folder = whole_file::folder(&ours_in, b".", FOLDER, Kept::ForGood)?;
    whole_file::put(&folder, name, content, Kept::ForGood)?;
    prune(&folder)
}

/// The names count up with time: the oldest go.
fn prune(folder: &Root) -> Result<()> {
    let names = folder.list(b".")?;
    let is_bundle = |name: &&Text| name.starts_with(PREFIX) && name.as_bytes().ends_with(b".json");
    let mut bundles: Vec<&str> = names.iter().filter(is_bundle).filter_map(Text::as_str).collect();
    bundles.sort_unstable();
    let surplus = bundles.len().saturating_sub(MOST);
    bundles[..surplus].iter().try_for_each(|name| whole_file::remove(folder, name, Kept::ForGood))
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn the_newest_bundles_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        for number in 0..20 {
            let name = format!("{PREFIX}{number:010}-xvdb.json");
            let mut job = begin(&root, LASTING, &name, b"{}").unwrap();
            job.wait();
            assert_eq!(super::super::outcome(job.finish()), Outcome::Done);
        }
        let folder = dir.path().join("var/lib/xvdguard/record");
        let mut names: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names.len(), MOST);
        assert_eq!(names[0], "incident-0000000004-xvdb.json");
    }
}
