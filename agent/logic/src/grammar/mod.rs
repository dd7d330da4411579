//! What a mount option does to barriers (flushes): by file system, kernel, and mount or remount.
//!
//! The table is `agent/logic/data/barrier-options.tsv`; `tests/mount_options/` holds it against
//! the running kernel. Where it has no row the answer is that nothing is known, never a guess. A
//! vendor's kernel carries changes of later releases: its answer is the stricter one of its own
//! release and of the next change after it. Options that mount(8) keeps for itself (`noauto`,
//! `nofail`, `x-…`) reach no file system and are not judged here.
//!
//! ```text
//! let here = Grammar::new(&entry.fstype, &kernel);
//! here.predict(&Text::from("nobarrier"), When::Mount)      // Refused, on XFS since 4.19
//! predict_all(&entry.fstype, &kernels, &word, When::Mount) // the strictest of all kernels
//! here.barriers(&entry.options.words())                    // Some(Off): barriers are off
//! ```

mod table;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use crate::kernel_version::{KernelRelease, KernelVersion};
use crate::text::Text;
use table::{Outcome, ROWS, Row};

/// The call that brings an option to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// A first mount.
    Mount,
    /// `mount -o remount`; for root that is how fstab's options come into effect at boot.
    Remount,
}

/// What happens; the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prediction {
    /// The call fails: what should be mounted is not.
    Refused,
    /// The table does not know, or kernels do the opposite of each other.
    Unknown,
    /// The call goes well and nothing comes of the option.
    Ignored,
    /// The option is accepted; what it does to barriers, if anything.
    Accepted(Option<Barriers>),
}

/// Whether a file system sends flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Barriers {
    /// It does.
    On,
    /// It does not.
    Off,
    /// It never does, whatever the options.
    Never,
}

/// A file system type on one kernel.
#[derive(Debug, Clone, Copy)]
pub struct Grammar<'a> {
    fstype: &'a Text,
    kernel: &'a KernelRelease,
    driver: Option<&'a str>,
}

/// What is asked of the table.
#[derive(Clone, Copy)]
enum Question<'a> {
    Word(&'a [u8], When),
    UnknownWord(When),
    NoWord,
}

/// The strictest answer of all kernels, any of which may be booted next; `Unknown` for none.
pub fn predict_all(
    fstype: &Text,
    kernels: &[KernelRelease],
    option: &Text,
    when: When,
) -> Prediction {
    let each = kernels.iter().map(|kernel| Grammar::new(fstype, kernel).predict(option, when));
    each.reduce(stricter).unwrap_or(Prediction::Unknown)
}

impl<'a> Grammar<'a> {
    /// The grammar of an fstab type on a kernel.
    pub fn new(fstype: &'a Text, kernel: &'a KernelRelease) -> Self {
        Grammar { fstype, kernel, driver: None }
    }

    /// The same, where it is known which driver serves it: `ext4` may serve ext2 and ext3, and
    /// then `/sys/fs/ext4/DEVICE` exists while it is mounted.
    pub fn served_by(self, driver: &'a str) -> Self {
        Grammar { driver: Some(driver), ..self }
    }

    /// Whether the table knows this file system on this kernel.
    pub fn is_known(&self) -> bool {
        !self.drivers().is_empty()
    }

    /// What an option does, given as a whole word. `Unknown` for words that have nothing to do
    /// with barriers.
    pub fn predict(&self, option: &Text, when: When) -> Prediction {
        self.ask(Question::Word(option.as_bytes(), when))
    }

    /// What an option does that the file system does not know, such as a misspelt one.
    pub fn predict_unknown_option(&self, when: When) -> Prediction {
        self.ask(Question::UnknownWord(when))
    }

    /// Barriers without any word; `None` where that is not known. ext4 may carry another default
    /// in its super block (`tune2fs -o nobarrier`).
    pub fn default_barriers(&self) -> Option<Barriers> {
        match self.ask(Question::NoWord) {
            // SUSE and Red Hat switched on what mainline had off (ext3, reiserfs).
            Prediction::Accepted(Some(Barriers::Off)) if self.kernel.is_vendor => None,
            Prediction::Accepted(barriers) => barriers,
            _ => None,
        }
    }

    /// Barriers after a mount with these words, the last of which counts; `None` where that is
    /// not known or the mount would fail.
    pub fn barriers(&self, options: &[Text]) -> Option<Barriers> {
        let mut barriers = self.default_barriers();
        for option in options {
            match self.predict(option, When::Mount) {
                Prediction::Refused => return None,
                Prediction::Accepted(Some(by_option)) => barriers = Some(by_option),
                Prediction::Unknown if speaks_of_barriers(option.as_bytes()) => return None,
                _ => {}
            }
        }
        barriers
    }

    fn ask(&self, question: Question<'_>) -> Prediction {
        let answers = self.drivers().into_iter().map(|driver| self.answer_of(driver, question));
        answers.reduce(stricter).unwrap_or(Prediction::Unknown)
    }

    fn answer_of(&self, driver: &[u8], question: Question<'_>) -> Prediction {
        let version = self.kernel.version;
        let own = self.answer_at(driver, version, question);
        match self.next_change(driver, version).filter(|_| self.kernel.is_vendor) {
            Some(next) => stricter(own, self.answer_at(driver, next, question)),
            None => own,
        }
    }

    fn answer_at(
        &self,
        driver: &[u8],
        version: KernelVersion,
        question: Question<'_>,
    ) -> Prediction {
        let row = self.rows_at(version).find(|row| row.driver == driver && row.answers(question));
        let Some(row) = row else { return Prediction::Unknown };
        let remounts = matches!(
            question,
            Question::Word(_, When::Remount) | Question::UnknownWord(When::Remount)
        );
        prediction(if remounts { row.remount } else { row.mount })
    }

    /// The release after `version` at which the next row begins or ends, if any are left then.
    fn next_change(&self, driver: &[u8], version: KernelVersion) -> Option<KernelVersion> {
        let ours = ROWS.iter().filter(|row| self.is_ours(row) && row.driver == driver);
        let borders = ours.flat_map(|row| [row.from, row.below]);
        let next = borders.filter(|border| *border > version).min()?;
        self.rows_at(next).any(|row| row.driver == driver).then_some(next)
    }

    /// The drivers that may serve it.
    fn drivers(&self) -> Vec<&'static [u8]> {
        let mut drivers: Vec<_> = self.rows_at(self.kernel.version).map(|row| row.driver).collect();
        drivers.dedup();
        drivers.retain(|driver| self.driver.is_none_or(|known| known.as_bytes() == *driver));
        drivers
    }

    fn rows_at(&self, version: KernelVersion) -> impl Iterator<Item = &'static Row> {
        let holds = move |row: &&Row| row.from <= version && version < row.below;
        ROWS.iter().filter(|row| self.is_ours(row)).filter(holds)
    }

    fn is_ours(&self, row: &Row) -> bool {
        row.fstype == self.fstype.as_bytes()
    }
}

impl Row {
    fn answers(&self, question: Question<'_>) -> bool {
        match (self.words, question) {
            (b"(none)", question) => matches!(question, Question::NoWord),
            (b"*", Question::UnknownWord(_)) => true,
            (b"*", Question::Word(word, _)) => speaks_of_barriers(word),
            (words, Question::Word(word, _)) => {
                words.split(|byte| *byte == b'|').any(|pattern| is_like(word, pattern))
            }
            _ => false,
        }
    }
}

/// Equal, numbers by their value; `N` stands for any.
fn is_like(word: &[u8], pattern: &[u8]) -> bool {
    let (name, value) = parts(word);
    let (pattern_name, pattern_value) = parts(pattern);
    let same_value = match (value, pattern_value) {
        (Some(value), Some(b"N")) => number(value).is_some(),
        (Some(value), Some(b"0")) => number(value) == Some(0),
        _ => value == pattern_value,
    };
    name == pattern_name && same_value
}

/// An unsigned int, written in digits alone.
fn number(text: &[u8]) -> Option<u32> {
    let text = core::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?;
    text.parse().ok()
}

fn parts(word: &[u8]) -> (&[u8], Option<&[u8]>) {
    match word.iter().position(|byte| *byte == b'=') {
        Some(at) => (&word[..at], Some(&word[at + 1..])),
        None => (word, None),
    }
}

fn speaks_of_barriers(word: &[u8]) -> bool {
    const BARRIER: &[u8] = b"barrier";
    parts(word).0.windows(BARRIER.len()).any(|window| window == BARRIER)
}

fn prediction(outcome: Outcome) -> Prediction {
    match outcome {
        Outcome::On => Prediction::Accepted(Some(Barriers::On)),
        Outcome::Off => Prediction::Accepted(Some(Barriers::Off)),
        Outcome::Never => Prediction::Accepted(Some(Barriers::Never)),
        Outcome::Accepted => Prediction::Accepted(None),
        Outcome::Ignored => Prediction::Ignored,
        Outcome::Refused => Prediction::Refused,
        Outcome::Unknown => Prediction::Unknown,
    }
}

fn stricter(one: Prediction, other: Prediction) -> Prediction {
    match (one, other) {
        (Prediction::Accepted(a), Prediction::Accepted(b)) if a != b => Prediction::Unknown,
        _ => one.min(other),
    }
}
