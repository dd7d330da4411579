//! The kernel command line: our words, and the two of others that early boot needs.
//!
//! Words are split as the kernel does (lib/cmdline.c next_arg: double quotes keep spaces together
//! and are dropped), `-` and `_` in names are equal (kernel/params.c parameqn), the last word wins,
//! and what stands behind `--` belongs to init.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::policy::{BarrierMode, Chosen, Origin, Policy};
use crate::text::Text;

/// What the command line asks of xvdguard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KernelWords {
    /// `xvdguard=off`: look at nothing, do nothing.
    pub inert: bool,
    /// `barrier=` or `xvdguard.barrier=`, with the word that decided.
    pub barrier: Option<Chosen<BarrierMode>>,
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
        policy.inert |= self.inert;
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
            "xvdguard" => self.take_inert(Text::from(word), &value),
            _ => {}
        }
    }

    fn take_barrier(&mut self, word: Text, value: &Text) {
        match value.as_str().and_then(BarrierMode::from_word) {
            Some(mode) => {
                self.barrier = Some(Chosen { value: mode, origin: Origin::KernelWord(word) });
            }
            None => self.oddities.push(format!(
                "kernel command line: \"{word}\" is none of off, on, auto, leave; it is ignored"
            )),
        }
    }

    fn take_inert(&mut self, word: Text, value: &Text) {
        match value.as_str() {
            Some("off" | "0" | "no") => self.inert = true,
            Some("on" | "1" | "yes") => self.inert = false,
            _ => self.oddities.push(format!(
                "kernel command line: \"{word}\" is neither xvdguard=off nor xvdguard=on; it is \
                 ignored"
            )),
        }
    }
}

fn split(line: &[u8]) -> Vec<Vec<u8>> {
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
        assert!(!parse("-- xvdguard=off").inert);
    }

    #[test]
    fn an_unknown_value_is_said_and_ignored() {
        let words = parse("barrier=off barrier=perhaps xvdguard=maybe");
        assert_eq!(words.barrier.unwrap().value, BarrierMode::Off);
        assert_eq!(words.oddities.len(), 2);
        assert!(words.oddities[0].contains("barrier=perhaps"), "{:?}", words.oddities);
    }

    #[test]
    fn quotes_and_spaces_are_read_as_the_kernel_does() {
        let words = parse("root=\"LABEL=my root\"  rootflags=noatime,data=ordered xvdguard=off\n");
        assert_eq!(words.root, Some(Text::from("LABEL=my root")));
        assert_eq!(words.root_flags, Some(Text::from("noatime,data=ordered")));
        assert!(words.inert);
    }

    #[test]
    fn options_are_joined_without_empty_parts() {
        assert_eq!(join_options(&Text::from(""), "barrier=0"), "barrier=0");
        assert_eq!(join_options(&Text::from("noatime,,"), "barrier=0"), "noatime,barrier=0");
    }
}
