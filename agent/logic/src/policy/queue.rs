//! `[[queue]]`: queue limits for the disks that match, one attribute at a time.
//!
//! Never `write_cache`: that one belongs to the barrier job, which needs proof.

use alloc::collections::BTreeMap;
use alloc::string::ToString;
use core::fmt;
use core::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

use super::origin::Chosen;
use crate::disk::Disk;
use crate::order;
use crate::text::Text;

/// One `[[queue]]` entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueRule {
    /// Pattern for the disk's name (`*` and `?`).
    pub name: Chosen<Text>,
    /// Pattern for one word of the backend kind (`phy`, `drbd`, …).
    pub backend: Chosen<Text>,
    /// Pattern for the backend's `params`.
    pub params: Chosen<Text>,
    /// What to set.
    pub settings: BTreeMap<QueueAttribute, Chosen<Text>>,
}

impl Default for QueueRule {
    fn default() -> Self {
        let all = || Chosen::by_default(Text::from("*"));
        QueueRule { name: all(), backend: all(), params: all(), settings: BTreeMap::new() }
    }
}

impl QueueRule {
    fn covers(&self, disk: &Disk) -> bool {
        let kind = disk.backend_kind();
        let params = disk.vbd.as_ref().and_then(|vbd| vbd.backend.text("params").cloned());
        // People see "LVM" and "DRBD", the words are "lvm" and "drbd".
        let backend = lower_case(&self.backend.value);
        matches(&self.name.value, &disk.name)
            && (matches(&backend, &Text::default())
                || kind.words().any(|word| matches(&backend, &lower_case(&Text::from(word)))))
            && matches(&self.params.value, &params.unwrap_or_default())
    }
}

fn lower_case(text: &Text) -> Text {
    Text::from(text.as_bytes().to_ascii_lowercase())
}

fn matches(pattern: &Text, text: &Text) -> bool {
    WildMatch::new(&pattern.to_string()).matches(&text.to_string())
}

/// What the rules want for this disk: for each attribute the last match wins.
pub fn wanted(rules: &[QueueRule], disk: &Disk) -> BTreeMap<QueueAttribute, Chosen<Text>> {
    let covering = rules.iter().filter(|rule| rule.covers(disk));
    order::gather(covering.flat_map(|rule| rule.settings.clone()))
}

/// The queue attributes that a rule may set (Documentation/ABI/stable/sysfs-block).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueAttribute {
    /// Largest request, in KiB.
    MaxSectorsKb,
    /// Read ahead, in KiB.
    ReadAheadKb,
    /// Requests that may wait.
    NrRequests,
    /// I/O scheduler by name.
    Scheduler,
    /// Whether requests are merged: 0, 1 or 2.
    Nomerges,
    /// On which CPU requests complete: 0, 1 or 2.
    RqAffinity,
    /// Write-back throttling target, in microseconds; 0 is off.
    WbtLatUsec,
    /// Whether the disk counts as rotating: 0 or 1.
    Rotational,
}

impl QueueAttribute {
    /// Every attribute, in the order in which they are written.
    pub const ALL: [QueueAttribute; 8] = [
        QueueAttribute::Scheduler,
        QueueAttribute::MaxSectorsKb,
        QueueAttribute::ReadAheadKb,
        QueueAttribute::NrRequests,
        QueueAttribute::Nomerges,
        QueueAttribute::RqAffinity,
        QueueAttribute::WbtLatUsec,
        QueueAttribute::Rotational,
    ];

    /// The name below `queue/` in sysfs, which is also the key in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            QueueAttribute::MaxSectorsKb => "max_sectors_kb",
            QueueAttribute::ReadAheadKb => "read_ahead_kb",
            QueueAttribute::NrRequests => "nr_requests",
            QueueAttribute::Scheduler => "scheduler",
            QueueAttribute::Nomerges => "nomerges",
            QueueAttribute::RqAffinity => "rq_affinity",
            QueueAttribute::WbtLatUsec => "wbt_lat_usec",
            QueueAttribute::Rotational => "rotational",
        }
    }

    /// The value in force, as the attribute shows it: the scheduler's file lists all of them and
    /// brackets one, `[none] mq-deadline`.
    pub fn current(self, shown: &Text) -> Text {
        let text = shown.as_str().unwrap_or_default();
        match (self, text.split_once('[').and_then(|(_, rest)| rest.split_once(']'))) {
            (QueueAttribute::Scheduler, Some((name, _))) => Text::from(name),
            _ => shown.clone(),
        }
    }

    /// The attribute of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attribute| attribute.name() == name)
    }

    /// What its values are.
    pub fn kind(self) -> Kind {
        Kind::Number(match self {
            QueueAttribute::Scheduler => return Kind::Name,
            // From a page to 65535 sectors, which is what 16 bits held up to 3.x.
            QueueAttribute::MaxSectorsKb => 4..=32_767,
            // Up to 1 GiB: more would fill a guest's memory with what nobody asked for.
            QueueAttribute::ReadAheadKb => 0..=1_048_576,
            // BLKDEV_MIN_RQ to BLK_MQ_MAX_DEPTH (block/blk.h, linux/blk-mq.h).
            QueueAttribute::NrRequests => 4..=10_240,
            QueueAttribute::Nomerges | QueueAttribute::RqAffinity => 0..=2,
            // Up to 10 s: beyond that nothing is throttled anyway.
            QueueAttribute::WbtLatUsec => 0..=10_000_000,
            QueueAttribute::Rotational => 0..=1,
        })
    }

    /// Whether the kernel could understand the value. What it rounds or refuses beyond that is
    /// found by reading back.
    pub fn accepts(self, value: &str) -> bool {
        match self.kind() {
            Kind::Name => {
                !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            }
            Kind::Number(range) => value.parse().is_ok_and(|number| range.contains(&number)),
        }
    }
}

/// What the values of an attribute are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A name that the kernel knows or not.
    Name,
    /// A number within limits.
    Number(RangeInclusive<u32>),
}

impl fmt::Display for QueueAttribute {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::sample;

    fn pattern(text: &str) -> Chosen<Text> {
        Chosen::by_default(Text::from(text))
    }

    fn rule(name: &str, backend: &str, params: &str, max_sectors_kb: &str) -> QueueRule {
        QueueRule {
            name: pattern(name),
            backend: pattern(backend),
            params: pattern(params),
            settings: BTreeMap::from([(QueueAttribute::MaxSectorsKb, pattern(max_sectors_kb))]),
        }
    }

    fn max_sectors_kb(rules: &[QueueRule]) -> Option<Text> {
        let disk = sample::disk("xvda", &[("type", "phy"), ("params", "/dev/drbd3")]);
        Some(wanted(rules, &disk).remove(&QueueAttribute::MaxSectorsKb)?.value)
    }

    #[test]
    fn the_last_matching_rule_wins() {
        let rules = [rule("xvd*", "*", "*", "64"), rule("xvda", "drbd", "*", "4")];
        assert_eq!(max_sectors_kb(&rules), Some(Text::from("4")));
    }

    #[test]
    fn a_rule_must_match_in_all_its_parts() {
        assert_eq!(max_sectors_kb(&[rule("xvdb", "*", "*", "4")]), None);
        assert_eq!(max_sectors_kb(&[rule("*", "iscsi", "*", "4")]), None);
        assert_eq!(max_sectors_kb(&[rule("*", "*", "/dev/vg0/*", "4")]), None);
        assert_eq!(max_sectors_kb(&[rule("xvd?", "phy", "/dev/drbd*", "4")]), Some("4".into()));
        assert_eq!(max_sectors_kb(&[rule("xvd?", "DRBD", "*", "4")]), Some("4".into()));
        assert_eq!(max_sectors_kb(&[rule("XVD?", "*", "*", "4")]), None);
    }

    #[test]
    fn values_that_no_kernel_takes_are_refused() {
        assert!(QueueAttribute::Scheduler.accepts("mq-deadline"));
        assert!(!QueueAttribute::Scheduler.accepts("a b"));
        assert!(!QueueAttribute::MaxSectorsKb.accepts("4k"));
        assert!(!QueueAttribute::MaxSectorsKb.accepts("0"));
        assert!(!QueueAttribute::ReadAheadKb.accepts("4294967296"));
        assert!(!QueueAttribute::Nomerges.accepts("5"));
    }
}
