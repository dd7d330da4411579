//! The story of a kernel log: what failed first, what followed, what it means now, what to do.
//!
//! Bytes in any pieces come in, a story goes out. Pure and in constant memory: a log may be longer
//! than any memory, its lines too.

pub mod advice;
pub mod daemons;
pub mod form;
pub mod story;

use alloc::vec::Vec;

use crate::block::BlockTree;
use crate::kernel_version::KernelVersion;
use form::Forms;
use story::{Story, Teller};

/// Bytes of a line that are looked at. The kernel's are at most 2 KiB (PRINTK_MESSAGE_MAX); the
/// rest is room for what a journal writes around them.
const LINE_BYTES: usize = 64 * 1024;

/// Reads a log and tells its story.
#[derive(Debug, Default)]
pub struct Explainer {
    forms: Forms,
    teller: Teller,
    lines: u64,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    /// Whether the rest of a line is skipped because it is too long.
    is_skipping: bool,
}

impl Explainer {
    /// `tree` proves which names are one thing (empty where nothing is known), `kernel` is what
    /// runs where the log does not tell.
    pub fn new(tree: BlockTree, kernel: Option<KernelVersion>) -> Explainer {
        Explainer { teller: Teller::new(tree, kernel), ..Explainer::default() }
    }

    /// Takes the next piece of the log, cut anywhere.
    pub fn take(&mut self, piece: &[u8]) {
        let is_plain = !form::has_marks(piece);
        let mut rest = piece;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, behind) = (&rest[..end], &rest[end + 1..]);
            if self.begun.is_empty() && !self.is_skipping {
                self.line(line, is_plain);
            } else {
                self.keep(line);
                self.end_begun();
            }
            rest = behind;
        }
        self.keep(rest);
    }

    /// Ends the log.
    pub fn finish(mut self) -> Story {
        if !self.begun.is_empty() || self.is_skipping {
            self.end_begun();
        }
        let (teller, lines) = (&mut self.teller, self.lines);
        self.forms.finish(&mut |entry| teller.take(lines, entry));
        self.teller.finish(lines)
    }

    fn line(&mut self, line: &[u8], is_plain: bool) {
        self.lines += 1;
        let plain = if is_plain { self.forms.read_plain(line) } else { None };
        match plain {
            Some((boot_us, text)) => self.teller.take_plain(self.lines, boot_us, text),
            None => self.read(line),
        }
    }

    fn read(&mut self, line: &[u8]) {
        let (teller, lines) = (&mut self.teller, self.lines);
        self.forms.read(line, &mut |entry| teller.take(lines, entry));
    }

    /// Keeps the part of a line that has come.
    fn keep(&mut self, part: &[u8]) {
        let mut part = part;
        while !self.is_skipping && !part.is_empty() {
            let room = LINE_BYTES - self.begun.len();
            let (fits, rest) = part.split_at(part.len().min(room));
            self.begun.extend_from_slice(fits);
            part = rest;
            if self.begun.len() == LINE_BYTES {
                self.read_begun();
            }
        }
    }

    /// Of a line that is too long the rest counts for nothing, since it must never look like the
    /// beginning of another; but JSON may hold a whole log in one line.
    fn read_begun(&mut self) {
        let (teller, line) = (&mut self.teller, self.lines + 1);
        let mut take = |entry: &form::Entry<'_>| teller.take(line, entry);
        if !self.forms.read_piece(&self.begun, &mut take) {
            self.forms.read(&self.begun, &mut take);
            self.is_skipping = true;
        }
        self.begun.clear();
    }

    fn end_begun(&mut self) {
        let begun = core::mem::take(&mut self.begun);
        if self.is_skipping {
            self.lines += 1;
        } else {
            self.line(&begun, false);
        }
        self.is_skipping = false;
        self.begun = begun;
        self.begun.clear();
    }
}
#[cfg(test)]
mod tests;
