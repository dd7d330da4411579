//! The kernel command line: our words, and the two of others that early boot needs.
//!
//! Words are split as the kernel does (lib/cmdline.c next_arg: double quotes keep spaces together
//! and are dropped), `-` and `_` in names are equal (kernel/params.c parameqn), the last word wins,
//! and what stands behind `--` belongs to init.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::policy::word::{Action, Word};
use crate::policy::{BarrierMode, Chosen, Origin, Policy};
use crate::text::Text;

/// What the command line asks of xvdguard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelWords {
    /// `xvdguard=off`, as it was written: look at nothing, do nothing.
    pub inert: Option<Text>,
    /// `barrier=` or `xvdguard.barrier=`, with the word that decided.
    pub barrier: Option<Chosen<BarrierMode>>,
    /// `xvdguard.recover=`, the most that may be done by itself, with the word that decided.
    pub recover: Option<Chosen<Action>>,
    /// `root=`.
    pub root: Option<Text>,
    /// `rootflags=`, options separated by commas.
    pub root_flags: Option<Text>,
    /// Words of ours with a value that we do not know, each with what is done instead.
    pub oddities: Vec<String>,
}

impl KernelWords {
    /// Reads `/proc/cmdline`.
    pub fn parse(line: &Text) -> Self {
        let mut words = KernelWords::default();
        for word in split(line.as_bytes()) {
            if word == b"--" {
                break;
            }
            words.take(&word);
        }
        words
    }

    /// The kernel command line beats files.
    pub fn overrule(&self, mut policy: Policy) -> Policy {
        policy.inert = self.inert.clone();
        if let Some(barrier) = &self.barrier {
            policy.barrier = barrier.clone();
        }
        policy
    }

    fn take(&mut self, word: &[u8]) {
        let equals = word.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&word[..at], Text::from(&word[at + 1..])),
            None => (word, Text::default()),
        };
        let name = String::from_utf8_lossy(name).replace('-', "_");
        match name.as_str() {
            "root" => self.root = Some(value),
            "rootflags" => self.root_flags = Some(value),
            "barrier" | "xvdguard.barrier" => self.take_barrier(Text::from(word), &value),
            "xvdguard.recover" => self.take_recover(Text::from(word), &value),
            "xvdguard" => self.take_inert(Text::from(word), &value),
            name if name.starts_with("xvdguard.") => self.say(
                &Text::from(word),
                "is no word of ours: those are barrier, xvdguard.barrier, xvdguard.recover and \
                 xvdguard",
            ),
            _ => {}
        }
    }

    fn take_barrier(&mut self, word: Text, value: &Text) {
        match value.as_str().and_then(BarrierMode::from_kernel_word) {
            Some(mode) => self.barrier = Some(said(mode, word)),
            None => self.say(&word, "is none of off, on, auto, leave"),
        }
    }

    fn take_recover(&mut self, word: Text, value: &Text) {
        match value.as_str().and_then(Action::from_word) {
            Some(action) => self.recover = Some(said(action, word)),
            None => self.say(&word, "is none of report, recover, reboot"),
        }
    }

    fn take_inert(&mut self, word: Text, value: &Text) {
        match value.as_str() {
            Some("off" | "0" | "no") => self.inert = Some(word),
            Some("on" | "1" | "yes") => self.inert = None,
            _ => self.say(&word, "is neither xvdguard=off nor xvdguard=on"),
        }
    }

    fn say(&mut self, word: &Text, what: &str) {
        self.oddities.push(format!("kernel command line: \"{word}\" {what}; it is ignored"));
    }
}

fn said<T>(value: T, word: Text) -> Chosen<T> {
    Chosen { value, origin: Origin::KernelWord(word) }
}

pub(crate) fn split(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word = Vec::new();
    let mut quoted = false;
    for byte in line {
        match byte {
            b'"' => quoted = !quoted,
            byte if byte.is_ascii_whitespace() && !quoted => {
                words.push(core::mem::take(&mut word));
            }
            byte => word.push(*byte),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The option list that reaches mount: what `have` holds, then `add`, without empty parts.
pub fn join_options(have: &Text, add: &str) -> String {
    let have = have.to_string();
    let parts = have.split(',').chain(add.split(','));
    parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> KernelWords {
        KernelWords::parse(&Text::from(line))
    }

    fn mode(line: &str) -> Option<BarrierMode> {
        parse(line).barrier.map(|chosen| chosen.value)
    }

    #[test]
    fn every_spelling_of_barrier_is_understood() {
        for (line, expected) in [
            ("barrier=off", Some(BarrierMode::Off)),
            ("barrier=0 quiet", Some(BarrierMode::Off)),
            ("barrier=no", Some(BarrierMode::Off)),
            ("barrier=on", Some(BarrierMode::On)),
            ("barrier=1", Some(BarrierMode::On)),
            ("xvdguard.barrier=auto", Some(BarrierMode::Auto)),
            ("xvdguard.barrier=leave", Some(BarrierMode::Leave)),
            ("xvdguard.barrier=\"off\"", Some(BarrierMode::Off)),
            ("nobarrier", None),
            ("rootflags=barrier=0", None),
        ] {
            assert_eq!(mode(line), expected, "{line}");
        }
    }

    #[test]
    fn the_last_word_wins_and_is_named() {
        let words = parse("barrier=off xvdguard.barrier=on");
        let chosen = words.barrier.unwrap();
        assert_eq!(chosen.value, BarrierMode::On);
        assert_eq!(chosen.origin, Origin::KernelWord(Text::from("xvdguard.barrier=on")));
        assert_eq!(mode("barrier=on barrier=off"), Some(BarrierMode::Off));
    }

    #[test]
    fn a_word_for_init_is_not_ours() {
        assert_eq!(mode("quiet -- barrier=off"), None);
        assert_eq!(parse("-- xvdguard=off").inert, None);
    }

    #[test]
    fn an_unknown_value_is_said_and_ignored() {
        let words = parse(
            "barrier=off barrier=perhaps xvdguard=maybe xvdguard.recover=recover \
             xvdguard.recover=never xvdguard.recovery=report xvdguarded=1",
        );
        assert_eq!(words.barrier.unwrap().value, BarrierMode::Off);
        assert_eq!(words.recover.unwrap().value, Action::Recover);
        let named = ["barrier=perhaps", "xvdguard=maybe", "recover=never", "recovery=report"];
        assert_eq!(words.oddities.len(), named.len());
        for (oddity, name) in words.oddities.iter().zip(named) {
            assert!(oddity.contains(name) && oddity.ends_with("; it is ignored"), "{oddity}");
        }
    }

    #[test]
    fn the_most_that_may_be_done_is_the_last_word() {
        for (line, expected) in [
            ("xvdguard.recover=report", Some(Action::Report)),
            ("xvdguard.recover=reboot xvdguard.recover=recover", Some(Action::Recover)),
            ("xvdguard.recover=reboot", Some(Action::Reboot)),
            ("recover=report", None),
            ("-- xvdguard.recover=report", None),
        ] {
            assert_eq!(parse(line).recover.map(|chosen| chosen.value), expected, "{line}");
        }
    }

    #[test]
    fn the_word_that_makes_us_inert_is_kept_as_it_was_written() {
        for (line, expected) in [
            ("xvdguard=off", Some("xvdguard=off")),
            ("xvdguard=0", Some("xvdguard=0")),
            ("xvdguard=no xvdguard=1", None),
            ("xvdguard=on xvdguard=\"no\"", Some("xvdguard=no")),
        ] {
            assert_eq!(parse(line).inert, expected.map(Text::from), "{line}");
        }
    }

    #[test]
    fn quotes_and_spaces_are_read_as_the_kernel_does() {
        let words = parse("root=\"LABEL=my root\"  rootflags=noatime,data=ordered xvdguard=off\n");
        assert_eq!(words.root, Some(Text::from("LABEL=my root")));
        assert_eq!(words.root_flags, Some(Text::from("noatime,data=ordered")));
        assert_eq!(words.inert, Some(Text::from("xvdguard=off")));
    }

    #[test]
    fn options_are_joined_without_empty_parts() {
        assert_eq!(join_options(&Text::from(""), "barrier=0"), "barrier=0");
        assert_eq!(join_options(&Text::from("noatime,,"), "barrier=0"), "noatime,barrier=0");
    }
}
