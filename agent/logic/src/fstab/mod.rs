//! fstab(5) without loss: entries to read, option fields to change, and every other byte kept.
//!
//! The bytes are kept as they came and the lines are an index over them, so printing is the
//! identity for every byte string. Lines, fields and escapes are read as libmount reads them
//! (util-linux libmount/src/tab_parse.c, lib/mangle.c), which is what mounts them. Never touches a
//! file, never judges an option: that is `grammar`.
//!
//! ```text
//! let fstab = Fstab::parse(&bytes);
//! for entry in fstab.entries() { … entry.options.has("noauto") … }
//! let edited = fstab.edit(&[(entry.line, Edit::BarrierOff), (other.line, Edit::Restore)])?;
//! write(edited.fstab.to_bytes());
//! ```

mod edit;
mod line;
mod options;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;
use core::ops::Range;

use crate::text::Text;

pub use edit::{Change, Edit, EditError, EditErrorKind, Edited, OwnEdit, OwnEditState};
pub use line::Flaw;
pub use options::Options;

use line::{Kind, Line};

/// A whole fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fstab {
    bytes: Vec<u8>,
    lines: Vec<Line>,
}

/// One file system of fstab, its fields decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its line, counted from 1.
    pub line: usize,
    /// What is mounted: a node, `UUID=…`, a network name, a word such as `tmpfs`.
    pub source: Text,
    /// Where; `none` or `swap` for swap space.
    pub mount_point: Text,
    /// `ext4`, `auto`, `swap`, …
    pub fstype: Text,
    /// The fourth field; empty where there is none.
    pub options: Options,
    /// The fifth field (dump), 0 where there is none.
    pub frequency: i32,
    /// The sixth field (order of fsck, 0 is never), 0 where there is none.
    pub pass: i32,
}

/// A line that mount(8) cannot read and skips with "parse error at line N -- ignored".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenLine {
    /// Its line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// The line without its end.
    pub text: Text,
}

impl Fstab {
    /// Reads the content of a file; there is nothing that it refuses.
    pub fn parse(content: &[u8]) -> Fstab {
        let bytes = content.to_vec();
        let lines = line::index(&bytes);
        Fstab { bytes, lines }
    }

    /// The very bytes.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Every line that mount(8) reads, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lines.iter().filter_map(|line| line.entry())
    }

    /// The entry on that line.
    pub fn entry(&self, line: usize) -> Option<&Entry> {
        self.line(line)?.entry()
    }

    /// Every line that is neither blank nor a comment nor an entry.
    pub fn broken_lines(&self) -> impl Iterator<Item = BrokenLine> {
        self.lines.iter().enumerate().filter_map(|(index, line)| match line.kind {
            Kind::Broken(flaw) => {
                let text = Text::from(&self.bytes[line.content.clone()]);
                Some(BrokenLine { line: index + 1, flaw, text })
            }
            _ => None,
        })
    }

    /// The line without its end, as a person sees it; `None` beyond the last.
    pub fn text(&self, line: usize) -> Option<Text> {
        Some(Text::from(self.content(line)?))
    }

    fn line(&self, line: usize) -> Option<&Line> {
        self.lines.get(line.checked_sub(1)?)
    }

    fn content(&self, line: usize) -> Option<&[u8]> {
        Some(&self.bytes[self.line(line)?.content.clone()])
    }

    /// What ends the line: CR LF, LF, a lone CR or nothing at the end of the file.
    fn ending(&self, line: &Line) -> &[u8] {
        &self.bytes[line.content.end..line.end]
    }

    /// The fourth field as it stands in the file.
    fn option_field(&self, line: &Line) -> Range<usize> {
        line.options.clone()
    }
}
