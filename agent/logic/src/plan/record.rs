//! What is kept of our own edits of fstab, beside the comments in fstab itself.
//!
//! The comment says which line is ours and how its options were; this says why and when, and still
//! knows of an edit whose comment somebody has removed.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fstab::{Fstab, OwnEditState};
use crate::text::Text;

/// `/var/lib/xvdguard/edits.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// `verdict::report::SCHEMA`.
    pub schema: u32,
    /// `xvdguard`.
    pub tool: String,
    /// That tool's version.
    pub version: String,
    /// Every edit that may be in fstab, in the order in which they were made.
    pub edits: Vec<RecordedEdit>,
}

impl Record {
    /// The edits that stand in `fstab` as we made them.
    pub fn in_force(&self, fstab: &Fstab) -> Record {
        let own = fstab.own_edits();
        let lines = own.iter().filter_map(|own| match own.state {
            OwnEditState::Intact(line) => fstab.entry(line),
            _ => None,
        });
        let lines: Vec<_> = lines.collect();
        let stands = |edit: &&RecordedEdit| {
            lines.iter().any(|entry| {
                let place = (&entry.source, &entry.mount_point, entry.options.raw());
                place == (&edit.source, &edit.mount_point, &edit.new)
            })
        };
        Record { edits: self.edits.iter().filter(stands).cloned().collect(), ..self.clone() }
    }
}

/// One line of fstab whose options we changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEdit {
    /// The first field of the line.
    pub source: Text,
    /// The second field of the line.
    pub mount_point: Text,
    /// The option field before; empty where there was none.
    pub old: Text,
    /// The option field that we wrote.
    pub new: Text,
    /// Why, in one sentence.
    pub reason: String,
    /// The rule that wanted it.
    pub rule: String,
    /// When, RFC 3339 in UTC.
    pub time: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn only_what_stands_in_fstab_as_we_made_it_is_in_force() {
        let edit = |mount_point: &str| RecordedEdit {
            source: "/dev/xvda1".into(),
            mount_point: mount_point.into(),
            old: "rw".into(),
            new: "rw,barrier=0".into(),
            reason: String::new(),
            rule: String::new(),
            time: None,
        };
        let edits = vec![edit("/a"), edit("/b"), edit("/c"), edit("/d")];
        let record = Record { schema: 1, tool: String::new(), version: String::new(), edits };
        let fstab = Fstab::parse(
            b"# xvdguard: was rw\n/dev/xvda1 /a ext4 rw,barrier=0 0 0\n\
              # xvdguard: was rw\n/dev/xvda1 /b ext4 rw,barrier=0,noatime 0 0\n\
              /dev/xvda1 /c ext4 rw,barrier=0 0 0\n",
        );
        assert_eq!(record.in_force(&fstab).edits, [edit("/a")]);
    }
}
