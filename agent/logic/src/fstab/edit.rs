//! Changing option fields, and taking our own changes back to the byte.
//!
//! A change is the option field alone, with a comment line above that holds the field as it was:
//! `# xvdguard: was noatime`. The comment is all that marks it, so fstab itself says what is ours.
//! Never a mark within options: an unknown word would stop a mount.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::ops::Range;

use super::line::Line;
use super::{Entry, Fstab, Options};
use crate::order;
use crate::text::Text;

/// How the comment begins; behind a space follows the old field, where there was one.
const MARK: &[u8] = b"# xvdguard: was";

/// What is to be done with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// `barrier=0` becomes its last barrier word.
    BarrierOff,
    /// Our own edit of this line is taken back.
    Restore,
}

/// What became of fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new content.
    pub fstab: Fstab,
    /// The lines that changed, in the order of the file; those that were so already are left out.
    pub changes: Vec<Change>,
}

/// A line that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The line before the edit, counted from 1.
    pub line: usize,
    /// Which way.
    pub edit: Edit,
    /// The option field as it stood; empty where there was none.
    pub old: Text,
    /// The option field as it stands now; empty where there is none.
    pub new: Text,
}

/// A line that cannot be changed; nothing is, then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EditError {
    /// Which one.
    pub line: usize,
    /// Why.
    pub kind: EditErrorKind,
}

/// Why a line cannot be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditErrorKind {
    /// There is no entry on this line.
    NoEntry,
    /// No comment of ours stands above it, so there is nothing to take back.
    NotOurs,
    /// A comment of ours stands above it, but somebody changed the options since.
    ChangedSince,
    /// Quotes, backslashes, NUL or CR bytes that not every mount(8) reads alike.
    AmbiguousOptions,
}

/// An edit of ours that is found in fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnEdit {
    /// The line of the comment.
    pub comment_line: usize,
    /// The option field before the edit; empty where there was none.
    pub was: Text,
    /// What became of it.
    pub state: OwnEditState,
}

/// What became of an edit of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnEditState {
    /// The entry on this line is as we left it.
    Intact(usize),
    /// Somebody changed the options of this line since.
    ChangedSince(usize),
    /// The line below the comment is no entry any more.
    Orphaned,
}

impl Fstab {
    /// Carries out all edits, each on a line as it is counted now, or none of them.
    pub fn edit(&self, edits: &[(usize, Edit)]) -> Result<Edited, EditError> {
        let in_order: BTreeMap<usize, Edit> = order::gather(edits.iter().copied());
        let mut splices = Vec::new();
        let mut changes = Vec::new();
        for (line, edit) in in_order {
            let place = self.place(line)?;
            let made = match edit {
                Edit::BarrierOff => self.switch_off(&place)?,
                Edit::Restore => Some(self.restore(&place)?),
            };
            let Some((comment, new)) = made else { continue };
            let old = place.entry.options.raw().clone();
            splices.push(comment);
            splices.push(self.splice_options(&place, &new));
            changes.push(Change { line, edit, old, new });
        }
        Ok(Edited { fstab: Fstab::parse(&self.spliced(&splices)), changes })
    }

    /// Our own edits that are in the file, in its order.
    pub fn own_edits(&self) -> Vec<OwnEdit> {
        let lines = 1..=self.lines.len();
        let marked = lines.filter_map(|line| Some((line, self.was(line)?)));
        marked.map(|(comment_line, was)| self.own_edit(comment_line, was)).collect()
    }

    fn own_edit(&self, comment_line: usize, was: Text) -> OwnEdit {
        let state = match self.entry(comment_line + 1) {
            None => OwnEditState::Orphaned,
            Some(entry) if is_intact(entry, &was) => OwnEditState::Intact(entry.line),
            Some(entry) => OwnEditState::ChangedSince(entry.line),
        };
        OwnEdit { comment_line, was, state }
    }

    fn place(&self, line: usize) -> Result<Place<'_>, EditError> {
        let found = self.line(line).and_then(|place| Some((place, place.entry()?)));
        let (place, entry) = found.ok_or(EditError { line, kind: EditErrorKind::NoEntry })?;
        let above = line.checked_sub(2).and_then(|index| self.lines.get(index));
        let was = self.was(line - 1);
        Ok(Place { line: place, entry, above, was })
    }

    /// The old field that a comment of ours on this line tells of. A field never holds a blank:
    /// what does is a person's sentence.
    fn was(&self, line: usize) -> Option<Text> {
        let rest = self.content(line)?.strip_prefix(MARK)?;
        if rest.is_empty() {
            return Some(Text::default());
        }
        let field = rest.strip_prefix(b" ").filter(|field| !field.is_empty())?;
        let is_field = !field.iter().any(|byte| matches!(byte, b' ' | b'\t'));
        is_field.then(|| Text::from(field))
    }

    /// The comment to insert and the new field; `None` where `barrier=0` is there already.
    fn switch_off(&self, place: &Place<'_>) -> Result<Option<(Splice, Text)>, EditError> {
        let old = place.entry.options.raw();
        let new = place.entry.options.with_barrier_off();
        let new = new.ok_or(place.error(EditErrorKind::AmbiguousOptions))?;
        if new == *old {
            return Ok(None);
        }
        if place.was.is_some() {
            return Err(place.error(EditErrorKind::ChangedSince));
        }
        let start = place.line.content.start;
        let space = if old.is_empty() { &b""[..] } else { b" " };
        let comment = [MARK, space, old.as_bytes(), self.ending_above(place)].concat();
        Ok(Some((Splice { at: start..start, by: comment }, new)))
    }

    /// The comment to delete and the old field.
    fn restore(&self, place: &Place<'_>) -> Result<(Splice, Text), EditError> {
        let (Some(above), Some(was)) = (place.above, &place.was) else {
            return Err(place.error(EditErrorKind::NotOurs));
        };
        if !is_intact(place.entry, was) {
            return Err(place.error(EditErrorKind::ChangedSince));
        }
        Ok((Splice { at: above.content.start..above.end, by: Vec::new() }, was.clone()))
    }

    /// How a new line above this one ends: as this one does, and where the file ends without a
    /// newline, as the line before.
    fn ending_above(&self, place: &Place<'_>) -> &'static [u8] {
        let is_last = !self.ending(place.line).ends_with(b"\n");
        let like = if is_last { place.above.unwrap_or(place.line) } else { place.line };
        if self.ending(like).starts_with(b"\r") { b"\r\n" } else { b"\n" }
    }

    /// The field with the blank before it, where it comes or goes.
    fn splice_options(&self, place: &Place<'_>, new: &Text) -> Splice {
        let mut at = self.option_field(place.line);
        let is_missing = at.is_empty();
        if !is_missing && new.is_empty() {
            at.start -= 1;
        }
        let space = if is_missing { &b" "[..] } else { b"" };
        Splice { at, by: [space, new.as_bytes()].concat() }
    }

    /// The bytes with each range replaced; the ranges are in order and apart.
    fn spliced(&self, splices: &[Splice]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + splices.len() * 32);
        let mut kept = 0;
        for splice in splices {
            bytes.extend_from_slice(&self.bytes[kept..splice.at.start]);
            bytes.extend_from_slice(&splice.by);
            kept = splice.at.end;
        }
        bytes.extend_from_slice(&self.bytes[kept..]);
        bytes
    }
}

/// Whether the options are what we made of `was`.
fn is_intact(entry: &Entry, was: &Text) -> bool {
    let ours = Options::new(was.as_bytes()).with_barrier_off();
    ours.is_some_and(|ours| ours != *was && ours == *entry.options.raw())
}

/// An entry with what stands above it.
struct Place<'a> {
    line: &'a Line,
    entry: &'a Entry,
    above: Option<&'a Line>,
    was: Option<Text>,
}

impl Place<'_> {
    fn error(&self, kind: EditErrorKind) -> EditError {
        EditError { line: self.entry.line, kind }
    }
}

/// Bytes to replace.
struct Splice {
    at: Range<usize>,
    by: Vec<u8>,
}
