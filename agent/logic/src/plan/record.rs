//! What is kept of our own edits of fstab, beside the comments in fstab itself.
//!
//! The comment says which line is ours and how its options were; this says why and when, and still
//! knows of an edit whose comment somebody has removed.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::fstab::{Entry, Fstab};
use crate::order;
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
    /// The edits of which something stands in `fstab`: our comment, or `barrier=0` without it.
    pub fn in_force(&self, fstab: &Fstab) -> Record {
        let standing: BTreeSet<Place<'_>> =
            order::gather(standing(fstab).map(|(entry, _)| place(entry)));
        let stands = |edit: &&RecordedEdit| standing.contains(&(&edit.source, &edit.mount_point));
        Record { edits: self.edits.iter().filter(stands).cloned().collect(), ..self.clone() }
    }

    /// Lines that still have what we wrote, and no comment of ours any more.
    pub(super) fn without_comment<'a>(&self, fstab: &'a Fstab) -> Vec<&'a Entry> {
        let recorded = self.edits.iter().map(|edit| (&edit.source, &edit.mount_point));
        let recorded: BTreeSet<Place<'_>> = order::gather(recorded);
        let bare = standing(fstab).filter(|(_, has_comment)| !has_comment);
        bare.map(|(entry, _)| entry).filter(|entry| recorded.contains(&place(entry))).collect()
    }
}

/// What a person knows a line by.
type Place<'a> = (&'a Text, &'a Text);

fn place(entry: &Entry) -> Place<'_> {
    (&entry.source, &entry.mount_point)
}

/// Lines that may be ours, and whether a comment says so.
fn standing(fstab: &Fstab) -> impl Iterator<Item = (&Entry, bool)> {
    let own = fstab.own_edits();
    let commented: BTreeSet<usize> = order::gather(own.iter().map(|own| own.comment_line + 1));
    fstab.entries().filter_map(move |entry| {
        let has_comment = commented.contains(&entry.line);
        let is_off =
            || entry.options.barrier_words().last().is_some_and(|word| *word == "barrier=0");
        (has_comment || is_off()).then_some((entry, has_comment))
    })
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

    #[test]
    fn an_edit_is_in_force_while_something_of_it_stands() {
        let edit = |mount_point: &str| RecordedEdit {
            source: "/dev/xvda1".into(),
            mount_point: mount_point.into(),
            old: "rw".into(),
            new: "rw,barrier=0".into(),
            reason: String::new(),
            rule: String::new(),
            time: None,
        };
        let edits = ["/a", "/b", "/c", "/d", "/e"].map(edit).to_vec();
        let record = Record { schema: 1, tool: String::new(), version: String::new(), edits };
        let fstab = Fstab::parse(
            b"# xvdguard: was rw\n/dev/xvda1 /a ext4 rw,barrier=0 0 0\n\
              # xvdguard: was rw\n/dev/xvda1 /b ext4 rw,barrier=1 0 0\n\
              /dev/xvda1 /c ext4 rw,barrier=0,noatime 0 0\n\
              /dev/xvda1 /d ext4 rw 0 0\n",
        );
        assert_eq!(record.in_force(&fstab).edits, [edit("/a"), edit("/b"), edit("/c")]);
        let bare = record.without_comment(&fstab);
        assert_eq!(bare.iter().map(|entry| entry.line).collect::<Vec<_>>(), [5]);
    }
}
