//! The way back: `/var/lib/xvdguard/fstab.orig`, the bytes of fstab before our first edit, and
//! `edits.json`, what we changed since and why; and `reverted`, which a person's `revert` leaves:
//! while it stands, fstab is written only when somebody asks for it.
//!
//! Both are on the disk before fstab changes and go only after it is as it was, so a kill between
//! any two steps leaves at most a way back that is not needed. Never read to decide what is ours:
//! that is said by fstab itself.
//! Tests: `tests/faults/`.

use xvdguard_logic::plan::record::Record;

use crate::error::Result;
use crate::root::Root;
use crate::whole_file::{self, Kept};

const ABOVE: &[u8] = b"var/lib";
const NAME: &str = "xvdguard";
const ORIGINAL: &str = "fstab.orig";
const EDITS: &str = "edits.json";
const REVERTED: &str = "reverted";

/// The folder of both files.
#[derive(Debug)]
pub struct WayBack {
    folder: Root,
}

impl WayBack {
    /// Opens the folder; `None` where there is none.
    pub fn find(root: &Root) -> Result<Option<WayBack>> {
        match root.enter(&[ABOVE, b"/", NAME.as_bytes()].concat()) {
            Ok(folder) => Ok(Some(WayBack { folder })),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Opens the folder, made where it is missing.
    pub fn open(root: &Root) -> Result<WayBack> {
        let folder = whole_file::folder(root, ABOVE, NAME, Kept::ForGood)?;
        Ok(WayBack { folder })
    }

    /// The bytes of fstab before our first edit.
    pub fn original(&self) -> Result<Option<Vec<u8>>> {
        match self.folder.read(ORIGINAL.as_bytes()) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What we changed.
    pub fn record(&self) -> Result<Option<Record>> {
        whole_file::read_document(&self.folder, EDITS.as_bytes(), "remove it: fstab tells the same")
    }

    /// To be called before fstab is edited. `original`: its bytes, where no edit of ours is in it.
    pub fn note_before(&self, original: Option<&[u8]>, record: &Record) -> Result<()> {
        if let Some(original) = original {
            whole_file::put(&self.folder, ORIGINAL, original, Kept::ForGood)?;
        }
        self.write(record)
    }

    /// To be called after fstab was edited: what of ours is in it now. With the last edit goes the
    /// way back.
    pub fn note_after(&self, record: &Record) -> Result<()> {
        if record.edits.is_empty() { self.forget() } else { self.write(record) }
    }

    /// Removes the way back, where nothing of ours is in fstab.
    pub fn forget(&self) -> Result<()> {
        whole_file::remove(&self.folder, EDITS, Kept::ForGood)?;
        whole_file::remove(&self.folder, ORIGINAL, Kept::ForGood)
    }

    /// Whether a person took our edits back, and nobody has asked for any since.
    pub fn is_reverted(&self) -> bool {
        self.folder.stat(REVERTED.as_bytes()).is_ok()
    }

    /// A person took our edits back.
    pub fn note_reverted(&self) -> Result<()> {
        whole_file::put(&self.folder, REVERTED, b"", Kept::ForGood)
    }

    /// A person asks for edits again.
    pub fn forget_reverted(&self) -> Result<()> {
        whole_file::remove(&self.folder, REVERTED, Kept::ForGood)
    }

    /// Removes what a run that was killed may have left half written.
    pub fn remove_leftovers(&self) -> Result<()> {
        [ORIGINAL, EDITS, REVERTED]
            .iter()
            .try_for_each(|name| whole_file::remove_leftover(&self.folder, name))
    }

    fn write(&self, record: &Record) -> Result<()> {
        whole_file::put_readable_document(&self.folder, EDITS, record, Kept::ForGood)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use xvdguard_logic::plan::record::RecordedEdit;
    use xvdguard_logic::text::Text;

    fn record(mount_points: &[&str]) -> Record {
        let edit = |mount_point: &&str| RecordedEdit {
            source: "/dev/xvda1".into(),
            mount_point: Text::from(*mount_point),
            old: Text::from(&b"user=\xff"[..]),
            new: Text::from(&b"user=\xff,barrier=0"[..]),
            reason: "xvda refuses flushes".into(),
            rule: "refused".into(),
            time: None,
        };
        let edits = mount_points.iter().map(edit).collect();
        Record { schema: 1, tool: "xvdguard".into(), version: "0".into(), edits }
    }

    #[test]
    fn the_way_back_lasts_as_long_as_an_edit_of_ours() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib")).unwrap();
        let root = Root::at(dir.path().as_os_str().as_bytes()).unwrap();
        assert!(WayBack::find(&root).unwrap().is_none());
        let way_back = WayBack::open(&root).unwrap();
        assert_eq!((way_back.original().unwrap(), way_back.record().unwrap()), (None, None));
        way_back.note_before(Some(b"first\xff"), &record(&["/"])).unwrap();
        way_back.note_before(None, &record(&["/", "/srv"])).unwrap();
        let way_back = WayBack::find(&root).unwrap().unwrap();
        assert_eq!(way_back.original().unwrap().as_deref(), Some(&b"first\xff"[..]));
        assert_eq!(way_back.record().unwrap(), Some(record(&["/", "/srv"])));
        way_back.note_after(&record(&["/srv"])).unwrap();
        assert_eq!(way_back.record().unwrap(), Some(record(&["/srv"])));
        let folder = dir.path().join("var/lib/xvdguard");
        for entry in std::fs::read_dir(&folder).unwrap().flatten() {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{:?}", entry.file_name());
        }
        way_back.note_after(&record(&[])).unwrap();
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        way_back.note_reverted().unwrap();
        assert!(WayBack::find(&root).unwrap().unwrap().is_reverted());
        way_back.forget_reverted().unwrap();
        assert!(!way_back.is_reverted());
    }
}
