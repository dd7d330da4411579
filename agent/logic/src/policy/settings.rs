//! Everything that the files of the configuration say, with the program's defaults.
//!
//! Early boot needs none of it but the `policy`, which is why that is a type of its own.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cmp::max;
use core::time::Duration;

use super::origin::{Chosen, Origin};
use super::word::{Action, RootAction, WriteProbe};
use super::{Policy, frozen};
use serde::{Deserialize, Serialize};

use crate::command_line::KernelWords;
use crate::text::Text;

/// The whole configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `[barrier]` and `[[queue]]`.
    pub policy: Policy,
    /// `[recovery]`.
    pub recovery: Recovery,
    /// `[reboot]`.
    pub reboot: Reboot,
    /// `[daemon]`.
    pub daemon: Daemon,
}

/// `[recovery]`: what is done about a volume whose journal was aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovery {
    /// What is done for volumes that `mounts` says nothing about.
    pub default: Chosen<Action>,
    /// How long its disks must have answered.
    pub settle: Chosen<Duration>,
    /// How long its users may take to stop.
    pub stop_within: Chosen<Duration>,
    /// How often one volume is recovered within `window`.
    pub attempts: Chosen<u32>,
    /// `in`: the time that `attempts` are counted in.
    pub window: Chosen<Duration>,
    /// Units that are never stopped: where one uses the volume, a person decides.
    pub never_stop: Chosen<Vec<Text>>,
    /// `[recovery.mount."/srv"]`, by mount point.
    pub mounts: BTreeMap<Text, MountRule>,
}

/// What holds for one mount point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountRule {
    /// Instead of the default.
    pub action: Chosen<Action>,
    /// Whether other guests may have it mounted too; then it is only reported.
    pub shared: Chosen<bool>,
}

/// `[reboot]`: the controlled reboot that heals root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reboot {
    /// What is done about root and what is like it.
    pub root: Chosen<RootAction>,
    /// How long its disks must have answered.
    pub settle: Chosen<Duration>,
    /// How long the guest must have been up.
    pub minimum_uptime: Chosen<Duration>,
    /// How many reboots there may be within `window`.
    pub at_most: Chosen<u32>,
    /// `in`: the time that `at_most` is counted in.
    pub window: Chosen<Duration>,
    /// The longest random wait.
    pub jitter: Chosen<Duration>,
    /// How long an orderly shutdown may take before the kernel is asked.
    pub orderly: Chosen<Duration>,
}

/// `[daemon]`: how it watches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daemon {
    /// How often it looks without an event.
    pub tick: Chosen<Duration>,
    /// When it writes a new file to find out.
    pub write_probe: Chosen<WriteProbe>,
}

/// So many seconds that nobody has said otherwise.
fn seconds(count: u64) -> Chosen<Duration> {
    Chosen::by_default(Duration::from_secs(count))
}

impl Default for Recovery {
    fn default() -> Self {
        Recovery {
            default: Chosen::by_default(Action::Recover),
            settle: seconds(5),
            // DefaultTimeoutStopSec= of systemd-system.conf(5).
            stop_within: seconds(90),
            attempts: Chosen::by_default(2),
            window: seconds(3600),
            never_stop: Chosen::by_default(Vec::new()),
            mounts: BTreeMap::new(),
        }
    }
}

impl Default for MountRule {
    fn default() -> Self {
        MountRule { action: Chosen::by_default(Action::Recover), shared: Chosen::by_default(false) }
    }
}

impl Default for Reboot {
    fn default() -> Self {
        Reboot {
            root: Chosen::by_default(RootAction::Reboot),
            settle: seconds(30),
            minimum_uptime: seconds(600),
            at_most: Chosen::by_default(2),
            window: seconds(86_400),
            jitter: seconds(60),
            orderly: seconds(300),
        }
    }
}

impl Default for Daemon {
    fn default() -> Self {
        Daemon { tick: seconds(30), write_probe: Chosen::by_default(WriteProbe::OnSuspicion) }
    }
}

impl Settings {
    /// What is in force: what the files said, overruled by the kernel command line, and what
    /// follows from both. The hash is that of the files alone, since an image carries no words.
    pub fn effective(mut self, words: &KernelWords) -> Settings {
        self.policy.hash = Some(frozen::hash(&self.policy));
        self.policy = words.overrule(self.policy);
        if let Some(most) = &words.recover {
            self.limit(most);
        }
        for rule in self.recovery.mounts.values_mut() {
            if rule.action.origin == Origin::Default {
                rule.action = self.recovery.default.clone();
            }
        }
        self
    }

    /// `xvdguard.recover=` is the most that may be done in this boot: `report` nothing, `recover`
    /// no reboot, `reboot` all. A mount point for which the files say less keeps that, since they
    /// say it of this one.
    fn limit(&mut self, most: &Chosen<Action>) {
        self.recovery.default = match most.value {
            Action::Reboot => Chosen {
                value: max(self.recovery.default.value, Action::Recover),
                origin: most.origin.clone(),
            },
            _ => most.clone(),
        };
        let above = |rule: &&mut MountRule| rule.action.value > most.value;
        for rule in self.recovery.mounts.values_mut().filter(above) {
            rule.action = most.clone();
        }
        let may_reboot = most.value == Action::Reboot;
        self.reboot.root = Chosen {
            value: if may_reboot { RootAction::Reboot } else { RootAction::Report },
            origin: most.origin.clone(),
        };
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn file(line: usize) -> Origin {
        Origin::File { name: Text::from("/etc/xvdguard/config.toml"), line }
    }

    fn mount(action: Action, origin: Origin) -> MountRule {
        MountRule { action: Chosen { value: action, origin }, ..MountRule::default() }
    }

    fn sample(default: Action, root: RootAction) -> Settings {
        let mut settings = Settings::default();
        settings.recovery.default = Chosen { value: default, origin: file(1) };
        settings.reboot.root = Chosen { value: root, origin: file(2) };
        let mounts = [
            ("/a", mount(Action::Report, file(3))),
            ("/b", mount(Action::Reboot, file(4))),
            ("/c", MountRule::default()),
        ];
        settings.recovery.mounts.extend(mounts.map(|(point, rule)| (Text::from(point), rule)));
        settings
    }

    fn actions(settings: &Settings) -> Vec<Action> {
        settings.recovery.mounts.values().map(|rule| rule.action.value).collect()
    }

    #[test]
    fn a_mount_point_without_an_action_has_the_default_and_its_origin() {
        let settings = sample(Action::Report, RootAction::Report);
        let settings = settings.effective(&KernelWords::default());
        assert_eq!(settings.recovery.mounts[&Text::from("/c")].action.origin, file(1));
        assert_eq!(actions(&settings), [Action::Report, Action::Reboot, Action::Report]);
    }

    #[test]
    fn the_kernel_word_is_the_most_that_is_done() {
        use Action::{Reboot, Recover, Report};
        for (word, files, expected, root, mounts) in [
            ("report", Recover, Report, RootAction::Report, [Report, Report, Report]),
            ("recover", Recover, Recover, RootAction::Report, [Report, Recover, Recover]),
            ("recover", Reboot, Recover, RootAction::Report, [Report, Recover, Recover]),
            ("recover", Report, Recover, RootAction::Report, [Report, Recover, Recover]),
            ("reboot", Report, Recover, RootAction::Reboot, [Report, Reboot, Recover]),
            ("reboot", Reboot, Reboot, RootAction::Reboot, [Report, Reboot, Reboot]),
        ] {
            let words = KernelWords::parse(&Text::from(alloc::format!("xvdguard.recover={word}")));
            let settings = sample(files, RootAction::Report).effective(&words);
            assert_eq!(settings.recovery.default.value, expected, "{word} over {files:?}");
            assert_eq!(settings.reboot.root.value, root, "{word}");
            assert_eq!(actions(&settings), mounts, "{word} over {files:?}");
            let by = settings.recovery.default.origin.to_string();
            assert_eq!(
                by,
                alloc::format!("\"xvdguard.recover={word}\" on the kernel command line")
            );
        }
    }
}
