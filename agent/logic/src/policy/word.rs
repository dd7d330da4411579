//! Settings that are one of a few words.

use serde::{Deserialize, Serialize};

/// A setting with a closed list of words.
pub trait Word: Copy + PartialEq + 'static {
    /// The words of files, the most usual first.
    const ALL: &'static [(&'static str, Self)];

    /// What a word means.
    fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
    }

    /// The word for it.
    fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

/// `[barrier] mode`: what may be done about flushes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BarrierMode {
    /// Prove, and act on proof.
    Auto,
    /// No flush on any vbd, because a person said so.
    Off,
    /// Prove and report, never switch off.
    On,
    /// Look and report only.
    Leave,
}

impl Word for BarrierMode {
    const ALL: &'static [(&'static str, Self)] = &[
        ("auto", BarrierMode::Auto),
        ("off", BarrierMode::Off),
        ("on", BarrierMode::On),
        ("leave", BarrierMode::Leave),
    ];
}

impl BarrierMode {
    /// The words of the kernel command line: those of files, and what `barrier=` takes elsewhere.
    pub fn from_kernel_word(word: &str) -> Option<Self> {
        match word {
            "0" | "no" => Some(BarrierMode::Off),
            "1" | "yes" => Some(BarrierMode::On),
            _ => BarrierMode::from_word(word),
        }
    }

    /// Whether this mode sends a flush to find out.
    pub fn probes(self) -> bool {
        matches!(self, BarrierMode::Auto | BarrierMode::On)
    }
}

/// `[barrier] lever`: how flushes are switched off where they must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lever {
    /// `queue/write_cache` where the kernel has it (4.7+), else the mount option.
    Auto,
    /// `queue/write_cache` only.
    Queue,
    /// `barrier=0` only.
    Mount,
}

impl Word for Lever {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", Lever::Auto), ("queue", Lever::Queue), ("mount", Lever::Mount)];
}

/// `[barrier] rewrite_fstab`: whether `barrier=0` may be written into fstab. What was written
/// before is taken back all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RewriteFstab {
    /// Where the decision table says so.
    Auto,
    /// Never added.
    Never,
}

impl Word for RewriteFstab {
    const ALL: &'static [(&'static str, Self)] =
        &[("auto", RewriteFstab::Auto), ("never", RewriteFstab::Never)];
}

/// What is done by itself about a volume whose journal was aborted; each does less than the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Say it.
    Report,
    /// Stop its users, unmount, check, mount, start them again.
    Recover,
    /// Reboot the guest.
    Reboot,
}

impl Word for Action {
    const ALL: &'static [(&'static str, Self)] =
        &[("report", Action::Report), ("recover", Action::Recover), ("reboot", Action::Reboot)];
}

/// `[reboot] root`: what is done by itself where root, or what is like it, was aborted. It cannot
/// be unmounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootAction {
    /// Say it.
    Report,
    /// Reboot the guest.
    Reboot,
}

impl Word for RootAction {
    const ALL: &'static [(&'static str, Self)] =
        &[("report", RootAction::Report), ("reboot", RootAction::Reboot)];
}

/// `[daemon] write_probe`: when a new file is written to find out whether a volume still takes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteProbe {
    /// Never: the other sources have to do.
    Never,
    /// Where another source says that something is wrong.
    OnSuspicion,
    /// At every tick.
    EveryTick,
}

impl Word for WriteProbe {
    const ALL: &'static [(&'static str, Self)] = &[
        ("never", WriteProbe::Never),
        ("on-suspicion", WriteProbe::OnSuspicion),
        ("every-tick", WriteProbe::EveryTick),
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_means_one_thing() {
        fn check<W: Word + core::fmt::Debug>() {
            for (word, value) in W::ALL {
                assert_eq!(W::from_word(word), Some(*value));
                assert_eq!(value.word(), *word);
            }
            assert_eq!(W::from_word("perhaps"), None);
        }
        check::<BarrierMode>();
        check::<Lever>();
        check::<RewriteFstab>();
        check::<Action>();
        check::<RootAction>();
        check::<WriteProbe>();
    }
}
