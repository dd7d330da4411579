//! Words in mount options that a file system does not take: misspelt words about barriers, those of
//! other file systems, those that some installed kernel refuses or ignores. What a word does is
//! `grammar`'s to say.

use alloc::vec::Vec;

use super::options::{Origin, Source, sources};
use super::{Case, Hit, Rule, Severity};
use crate::grammar::{Grammar, Prediction, When};
use crate::kernel_version::KernelRelease;
use crate::text::Text;
use crate::wording::audit::barrier_words as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "barrier-word-misspelt",
        severity: Severity::Critical,
        meaning: say::MISSPELT,
        look: misspelt,
    },
    Rule {
        id: "barrier-word-refused",
        severity: Severity::Critical,
        meaning: say::REFUSED,
        look: refused,
    },
    Rule {
        id: "barrier-word-foreign",
        severity: Severity::Critical,
        meaning: say::FOREIGN,
        look: foreign,
    },
    Rule {
        id: "ext-option-foreign",
        severity: Severity::Critical,
        meaning: say::EXT_OPTION,
        look: ext_option,
    },
    Rule {
        id: "barrier-word-ignored",
        severity: Severity::Warning,
        meaning: say::IGNORED,
        look: ignored,
    },
];

/// A word about barriers, in the options of one file system.
pub struct Spoken<'a> {
    /// The word.
    pub word: &'a Text,
    /// The type of the file system.
    pub fstype: &'a Text,
    /// What becomes of a mount that is refused.
    pub effect: Effect,
    /// Kernels that refuse the mount.
    pub refused_by: Vec<&'a Text>,
    /// Kernels that take the word and do nothing.
    pub ignored_by: Vec<&'a Text>,
}

/// What becomes of a mount that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The kernel cannot mount root at all.
    NoRoot,
    /// Root stays read-only: fstab's options come into effect at its remount.
    RootReadOnly,
    /// The boot waits for it, and stops.
    BootStops,
    /// Nobody waits for it (`nofail`, `noauto`).
    NotMounted,
}

fn misspelt(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |word| is_misspelt(word).then_some(Wrong::Misspelt), say::misspelt)
}

fn refused(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |word| is_word(word).then_some(Wrong::Refused), say::refused)
}

fn foreign(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |word| is_word(word).then_some(Wrong::Foreign), say::foreign)
}

fn ext_option(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |word| is_ext_option(word).then_some(Wrong::OfExt), say::ext_option)
}

fn ignored(case: &Case<'_>) -> Vec<Hit> {
    hits(case, |word| is_word(word).then_some(Wrong::Ignored), say::ignored)
}

/// What may be wrong with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Misspelt,
    Refused,
    Foreign,
    OfExt,
    Ignored,
}

/// Those words of fstab, mount units and `rootflags=` with which that is wrong. What is mounted has
/// no wrong words: the kernel wrote them.
fn hits(
    case: &Case<'_>,
    asked: impl Fn(&Text) -> Option<Wrong>,
    say: fn(&Spoken<'_>) -> crate::wording::audit::Said,
) -> Vec<Hit> {
    let kernels = case.kernels();
    let mut hits = Vec::new();
    for source in sources(case).iter().filter(|source| source.origin != Origin::Mounted) {
        for word in source.options.words() {
            let Some(wrong) = asked(&word) else { continue };
            let spoken = spoken(source, &word, &kernels, wrong);
            if spoken.is(wrong) {
                hits.push(Hit::new(&*source.place, say(&spoken)));
            }
        }
    }
    hits
}

fn spoken<'a>(
    source: &'a Source,
    word: &'a Text,
    kernels: &'a [KernelRelease],
    wrong: Wrong,
) -> Spoken<'a> {
    let effect = effect(source);
    let when = if effect == Effect::RootReadOnly { When::Remount } else { When::Mount };
    let that = |wanted: Prediction| {
        let does = |kernel: &&KernelRelease| {
            let grammar = Grammar::new(&source.fstype, kernel);
            wanted
                == match wrong {
                    Wrong::OfExt if takes_ext_options(&source.fstype) => Prediction::Unknown,
                    Wrong::Misspelt | Wrong::OfExt => grammar.predict_unknown_option(when),
                    _ => grammar.predict(word, when),
                }
        };
        kernels.iter().filter(does).map(|kernel| &kernel.name).collect()
    };
    let refused_by = that(Prediction::Refused);
    let ignored_by = that(Prediction::Ignored);
    Spoken { word, fstype: &source.fstype, effect, refused_by, ignored_by }
}

fn effect(source: &Source) -> Effect {
    let is_root = source.mount_point == "/";
    match source.origin {
        Origin::RootFlags => Effect::NoRoot,
        _ if is_root => Effect::RootReadOnly,
        Origin::Unit { is_required: false } => Effect::NotMounted,
        _ if source.options.has("nofail") || source.options.has("noauto") => Effect::NotMounted,
        _ => Effect::BootStops,
    }
}

impl Spoken<'_> {
    fn is(&self, wrong: Wrong) -> bool {
        let is_refused = !self.refused_by.is_empty();
        match wrong {
            Wrong::Misspelt | Wrong::OfExt => is_refused,
            Wrong::Refused => is_refused && self.was_ever_known(),
            Wrong::Foreign => is_refused && !self.was_ever_known(),
            Wrong::Ignored => !is_refused && !self.ignored_by.is_empty(),
        }
    }

    /// Whether any kernel ever took the word for this file system; these stand for the eras of the
    /// table.
    fn was_ever_known(&self) -> bool {
        let eras = ["2.6.18", "2.6.32", "3.2.0", "4.4.0", "4.15.0", "6.1.0"].map(Text::from);
        let kernels = eras.iter().filter_map(KernelRelease::parse);
        let mut answers = kernels
            .map(|kernel| Grammar::new(self.fstype, &kernel).predict(self.word, When::Mount));
        answers.any(|answer| matches!(answer, Prediction::Ignored | Prediction::Accepted(_)))
    }
}

/// The words that file systems have: `barrier`, `barrier=…`, `nobarrier`.
fn is_word(word: &Text) -> bool {
    name(word) == b"barrier" || *word == "nobarrier"
}

/// One of them with letters around it, or with two letters wrong: `barriers=0`, `barier`.
fn is_misspelt(word: &Text) -> bool {
    const TWO: usize = 2;
    const KNOWN: [&[u8]; 2] = [b"barrier", b"nobarrier"];
    let name = name(word);
    let holds = name.windows(KNOWN[0].len()).any(|window| window == KNOWN[0]);
    !is_word(word) && (holds || KNOWN.iter().any(|known| distance(name, known) <= TWO))
}

/// `errors=` and `data=`, which installers write for ext.
fn is_ext_option(word: &Text) -> bool {
    matches!(name(word), b"errors" | b"data") && word.contains("=")
}

/// Types that know one of those words, or may: nothing is said of them.
fn takes_ext_options(fstype: &Text) -> bool {
    !["xfs", "btrfs"].iter().any(|strict| *fstype == *strict)
}

/// What stands before the `=`.
fn name(word: &Text) -> &[u8] {
    word.as_bytes().split(|byte| *byte == b'=').next().unwrap_or_default()
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(one: &[u8], other: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, byte) in one.iter().enumerate() {
        let mut diagonal = core::mem::replace(&mut row[0], index + 1);
        for at in 1..row.len() {
            let changed = diagonal + usize::from(*byte != other[at - 1]);
            diagonal = row[at];
            row[at] = changed.min(row[at] + 1).min(row[at - 1] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_forums_are_told_from_those_that_exist() {
        for word in ["barriers=0", "nobarriers", "barier=0", "no-barrier", "barrier_off", "barrer"]
        {
            assert!(is_misspelt(&Text::from(word)), "{word}");
        }
        for word in ["barrier", "barrier=0", "nobarrier", "barrier=flush", "noatime", "journal"] {
            assert!(!is_misspelt(&Text::from(word)), "{word}");
        }
    }

    #[test]
    fn only_errors_and_data_count_as_words_of_ext() {
        assert!(is_ext_option(&Text::from("errors=remount-ro")));
        assert!(is_ext_option(&Text::from("data=ordered")));
        assert!(!is_ext_option(&Text::from("errors")) && !is_ext_option(&Text::from("commit=5")));
    }

    #[test]
    fn the_distance_of_words_is_counted_in_letters() {
        for (one, other, expected) in
            [("", "ab", 2), ("barrier", "barriers", 1), ("barier", "barrier", 1), ("abc", "cab", 2)]
        {
            assert_eq!(distance(one.as_bytes(), other.as_bytes()), expected, "{one} {other}");
        }
    }
}
