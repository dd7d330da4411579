//! The tables of the configuration with all their keys: the one list that reading, showing,
//! suggestions and the shipped file go by.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::names::unit_objection;
use super::queue::{QueueAttribute, QueueRule};
use super::setting::{Choice, Count, Flag, Limit, Names, Pattern, Setting, Span};
use super::settings::{Daemon, MountRule, Reboot, Recovery, Settings};
use crate::wording::config::{MOUNT_HEADER, QUEUE_HEADER, header};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const MONTH: Duration = Duration::from_secs(30 * 86_400);

/// Called with each key and its place.
pub type Visit<'a> = dyn FnMut(&'static str, &mut dyn Setting) + 'a;

/// The name of the entries of `[[queue]]`.
pub const QUEUE: &str = "queue";

/// The name of the table in `[recovery]` whose keys are mount points.
pub const MOUNT: &str = "mount";

/// What may stand outside of every table: the names of tables.
pub fn names() -> Vec<&'static str> {
    let once = Table::ALL.into_iter().map(Table::name);
    once.chain([QUEUE]).collect()
}

/// The headers of the tables that have this key.
pub fn homes(wanted: &str) -> Vec<String> {
    let mut homes = Vec::new();
    let mut settings = Settings::default();
    for table in Table::ALL {
        table.visit(&mut settings, &mut |key, _| {
            if key == wanted {
                homes.push(header(table.name()));
            }
        });
    }
    let mut note = |key: &str, header: &str| {
        if key == wanted {
            homes.push(header.into());
        }
    };
    MountRule::default().visit(&mut |key, _| note(key, MOUNT_HEADER));
    note(MOUNT, MOUNT_HEADER);
    QueueRule::default().visit(&mut |key, _| note(key, QUEUE_HEADER));
    homes
}

/// A table that is there once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// `[barrier]`
    Barrier,
    /// `[recovery]`, which also holds `[recovery.mount."/srv"]`
    Recovery,
    /// `[reboot]`
    Reboot,
    /// `[daemon]`
    Daemon,
}

impl Table {
    /// Every table, in the order in which they are shown.
    pub const ALL: [Table; 4] = [Table::Barrier, Table::Recovery, Table::Reboot, Table::Daemon];

    /// As files have it.
    pub fn name(self) -> &'static str {
        match self {
            Table::Barrier => "barrier",
            Table::Recovery => "recovery",
            Table::Reboot => "reboot",
            Table::Daemon => "daemon",
        }
    }

    /// The table of that name.
    pub fn from_name(name: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| table.name() == name)
    }

    /// Its keys and their places in the settings.
    pub fn visit(self, settings: &mut Settings, each: &mut Visit<'_>) {
        match self {
            Table::Barrier => {
                each("mode", &mut Choice(&mut settings.policy.barrier));
                each("lever", &mut Choice(&mut settings.policy.lever));
                each("rewrite_fstab", &mut Choice(&mut settings.policy.rewrite_fstab));
            }
            Table::Recovery => settings.recovery.visit(each),
            Table::Reboot => settings.reboot.visit(each),
            Table::Daemon => settings.daemon.visit(each),
        }
    }
}

impl Recovery {
    fn visit(&mut self, each: &mut Visit<'_>) {
        each("default", &mut Choice(&mut self.default));
        // A path that fails over answers for less than a second in between. An hour is longer
        // than any storage needs to show that it is back.
        each("settle", &mut Span(&mut self.settle, SECOND..=HOUR));
        // No service stops in less than a second.
        each("stop_within", &mut Span(&mut self.stop_within, SECOND..=HOUR));
        // None at all is `report`. More than ten are a loop.
        each("attempts", &mut Count(&mut self.attempts, 1..=10));
        // Shorter than one recovery takes, it would never count to two.
        each("in", &mut Span(&mut self.window, MINUTE..=MONTH));
        each("never_stop", &mut Names(&mut self.never_stop, unit_objection));
    }
}

impl Reboot {
    fn visit(&mut self, each: &mut Visit<'_>) {
        each("root", &mut Choice(&mut self.root));
        each("settle", &mut Span(&mut self.settle, SECOND..=HOUR));
        // A guest that dies within its first minute dies again: that is for a person.
        each("minimum_uptime", &mut Span(&mut self.minimum_uptime, MINUTE..=DAY));
        each("at_most", &mut Count(&mut self.at_most, 0..=10));
        // Shorter than some boots take, it would never count to two.
        each("in", &mut Span(&mut self.window, HOUR..=MONTH));
        // None is right for a guest that is alone on its host.
        each("jitter", &mut Span(&mut self.jitter, Duration::ZERO..=HOUR));
        // What a healthy guest needs to write back is more than a few seconds.
        each("orderly", &mut Span(&mut self.orderly, 10 * SECOND..=HOUR));
    }
}

impl Daemon {
    fn visit(&mut self, each: &mut Visit<'_>) {
        // More often costs wake-ups and finds nothing that an event does not; more seldom is no
        // watching.
        each("tick", &mut Span(&mut self.tick, 5 * SECOND..=10 * MINUTE));
        each("write_probe", &mut Choice(&mut self.write_probe));
    }
}

impl MountRule {
    /// The keys of `[recovery.mount."/srv"]`.
    pub fn visit(&mut self, each: &mut Visit<'_>) {
        each("action", &mut Choice(&mut self.action));
        each("shared", &mut Flag(&mut self.shared));
    }
}

impl QueueRule {
    /// How many of the keys say which disks; the others say what is set.
    pub const PATTERNS: usize = 3;

    /// The keys of a `[[queue]]` entry.
    pub fn visit(&mut self, each: &mut Visit<'_>) {
        each("match", &mut Pattern(&mut self.name));
        each("backend", &mut Pattern(&mut self.backend));
        each("params", &mut Pattern(&mut self.params));
        for attribute in QueueAttribute::ALL {
            each(attribute.name(), &mut Limit { settings: &mut self.settings, attribute });
        }
    }
}
