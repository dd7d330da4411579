//! What happens to a guest, made from a seed before anything runs: storage, kernel, policy, people.
//!
//! Never depends on what the daemon does: the same guest can be played without it.

use std::collections::BTreeMap;

use harness::random::Random;
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::policy::Chosen;
use xvdguard_logic::policy::settings::{MountRule, Settings};
use xvdguard_logic::policy::word::{Action, RootAction, WriteProbe};
use xvdguard_logic::recovery::memory::BootRecord;
use xvdguard_logic::recovery::world::{Burden, Hold};
use xvdguard_logic::text::Text;

use crate::perform::can_flush_alone;

/// One second, in the unit of the simulation.
pub const SECOND: u64 = 1_000;
/// One minute.
pub const MINUTE: u64 = 60 * SECOND;

/// Everything about one guest and its fate.
#[derive(Debug, Clone)]
pub struct Script {
    pub kernel: KernelVersion,
    pub settings: Settings,
    /// What the policy says, kept apart from what a bug makes of it: milliseconds.
    pub recovery_settle: u64,
    pub reboot_settle: u64,
    pub minimum_uptime: u64,
    pub window: u64,
    pub volumes: Vec<Plan>,
    pub guard: GuardPlan,
    /// What happens, in order of time.
    pub events: Vec<(u64, Event)>,
    /// When it is looked at for the last time.
    pub end_ms: u64,
    /// Wall clock at the first boot, in seconds.
    pub wall_s: u64,
    /// Whether the keeper can reboot at all.
    pub keeper: Ending,
    /// Whether children outlive the daemon.
    pub children_survive: bool,
}

/// A volume and its weak points.
#[derive(Debug, Clone)]
pub struct Plan {
    pub mount_point: &'static str,
    pub fstype: &'static str,
    pub disk: &'static str,
    pub read_only: bool,
    /// How often it is written to; none for one that is idle.
    pub write_every_ms: Option<u64>,
    pub units: Vec<&'static str>,
    /// A process that systemd does not know.
    pub has_other_user: bool,
    pub stop: Ending,
    pub start: Ending,
    pub umount: Ending,
    /// Held in another mount namespace.
    pub is_held_elsewhere: bool,
    /// fsck finds what a person must decide.
    pub needs_person: bool,
    pub mount: Ending,
    pub has_mount_below: bool,
    pub burdens: Vec<Burden>,
    pub holds_core_files: bool,
    /// Whether the kernel's line about its death is overwritten before it is read.
    pub line_is_lost: bool,
    /// It answers a probe although it looks dead: what cannot be.
    pub is_undead: bool,
}

/// How a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Well,
    Fails,
    /// For ever, beyond any signal.
    Hangs,
}

/// What earlier boots left.
#[derive(Debug, Clone)]
pub struct GuardPlan {
    pub is_lasting: bool,
    /// Of each earlier boot whether it ended well, the oldest first.
    pub earlier: Vec<bool>,
    /// Whether the records are those of the machine that this one was cloned from.
    pub is_clone: bool,
}

/// How a backend behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Up,
    Slow,
    /// Every request is answered with an error.
    Erring,
    /// Reads work, writes are answered with an error.
    WriteErring,
    /// The same, and the kernel says so beforehand: the disk is read-only.
    ReadOnly,
    /// No request is answered.
    Stalled,
    /// Flushes are answered with EOPNOTSUPP, the rest works.
    Refusing,
    /// The host has taken the disk away, as by force.
    Gone,
}

impl Backend {
    /// Whether it answers, and takes no write.
    pub fn fails_writes_alone(self) -> bool {
        matches!(self, Backend::WriteErring | Backend::ReadOnly)
    }
}

/// What happens.
#[derive(Debug, Clone)]
pub enum Event {
    Backend(&'static str, Backend),
    /// What comes back under this name is another file system.
    Swap(&'static str),
    /// The daemon is killed, and starts again after so many milliseconds.
    Kill(u64),
    HoldAsked(Hold),
    /// The hold can no longer be seen.
    HoldGone,
    HoldReleased,
    /// The guest runs on another host; whether that one offers flushes.
    Migrate(bool),
    WallJump(i64),
    /// A person unmounts, checks and mounts a volume, and says so or not.
    Seen(&'static str, bool),
    /// A person unmounts a volume and leaves it so for a while.
    Unmounted(&'static str, u64),
    /// A kernel line about its death that is true for another mount of the same name.
    FalseLine(&'static str),
    /// A process writes such a line.
    SpoofedLine(&'static str),
    /// A full queue that moves.
    Load(&'static str),
}

fn pick<T: Clone>(random: &mut Random, from: &[T]) -> T {
    random.choose(from).unwrap().clone()
}

/// Ends well in most worlds.
fn ending(random: &mut Random) -> Ending {
    match random.below(100) {
        0..=7 => Ending::Fails,
        8..=10 => Ending::Hangs,
        _ => Ending::Well,
    }
}

impl Script {
    /// The fate that belongs to the seed.
    pub fn from_seed(seed: u64) -> Script {
        let mut random = Random::from_seed(seed);
        let kernel = pick(
            &mut random,
            &[
                KernelVersion::new(3, 10, 0),
                KernelVersion::new(4, 19, 0),
                KernelVersion::new(5, 10, 0),
                KernelVersion::new(6, 1, 0),
                KernelVersion::new(6, 12, 0),
                KernelVersion::new(6, 18, 0),
            ],
        );
        let volumes = volumes(&mut random);
        let settings = settings(&mut random, &volumes);
        let mut events = Vec::new();
        for _ in 0..1 + random.below(2) {
            outage(&mut random, &volumes, &mut events);
        }
        people(&mut random, kernel, &volumes, &settings, &mut events);
        events.sort_by_key(|(at_ms, _)| *at_ms);
        let last_ms = events.last().map_or(0, |(at_ms, _)| *at_ms);
        let quiet_ms = last_ms + MINUTE;
        Script {
            kernel,
            recovery_settle: settings.recovery.settle.value.as_millis() as u64,
            reboot_settle: settings.reboot.settle.value.as_millis() as u64,
            minimum_uptime: settings.reboot.minimum_uptime.value.as_millis() as u64,
            window: settings.recovery.window.value.as_millis() as u64,
            settings,
            guard: guard(&mut random),
            volumes,
            events,
            end_ms: quiet_ms + 50 * MINUTE,
            wall_s: pick(&mut random, &[0, 1_700_000_000, 1_700_000_000, 2_147_483_000]),
            children_survive: random.percent(50),
            keeper: if random.percent(4) { Ending::Fails } else { Ending::Well },
        }
    }

    /// Records of boots an hour apart.
    pub fn earlier(&self) -> Vec<BootRecord> {
        let count = self.guard.earlier.len() as u64;
        let records = self.guard.earlier.iter().enumerate().map(|(index, ended_well)| BootRecord {
            boot_id: Text::from(format!("earlier-{index}")),
            uuid: Some(Text::from(if self.guard.is_clone { "model" } else { "guest" })),
            machine_id: Some(Text::from("machine")),
            began_s: self.wall_s.saturating_sub((count - index as u64) * 3600),
            ended_well: *ended_well,
        });
        records.collect()
    }
}

fn plan(random: &mut Random, mount_point: &'static str, disk: &'static str) -> Plan {
    let is_root = mount_point == "/";
    // Something always writes to root.
    let every = [None, Some(SECOND), Some(5 * SECOND), Some(30 * SECOND)];
    let every = &every[usize::from(is_root)..];
    let fstype = match random.below(10) {
        _ if is_root => "ext4",
        0..=1 => "xfs",
        2 => "btrfs",
        3 => "ext3",
        4 if random.percent(20) => "reiserfs",
        _ => "ext4",
    };
    Plan {
        mount_point,
        fstype,
        disk,
        read_only: !is_root && random.percent(5),
        write_every_ms: pick(random, every),
        units: pick(random, &[vec![], vec!["a.service"], vec!["b.socket", "a.service"]]),
        has_other_user: random.percent(5),
        stop: ending(random),
        start: ending(random),
        umount: ending(random),
        is_held_elsewhere: random.percent(5),
        needs_person: random.percent(5),
        mount: ending(random),
        has_mount_below: random.percent(3),
        burdens: if random.percent(5) { vec![Burden::Exported] } else { vec![] },
        holds_core_files: random.percent(3),
        line_is_lost: random.percent(15),
        is_undead: random.percent(1),
    }
}

fn volumes(random: &mut Random) -> Vec<Plan> {
    let mut volumes = vec![plan(random, "/", "xvda"), plan(random, "/srv", "xvdb")];
    if random.percent(40) {
        volumes.push(plan(random, "/data", "xvdc"));
    }
    if random.percent(15) {
        volumes.push(plan(random, "/var", "xvdd"));
    }
    volumes
}

fn settings(random: &mut Random, volumes: &[Plan]) -> Settings {
    let mut settings = Settings::default();
    settings.daemon.write_probe.value = match random.below(20) {
        0 => WriteProbe::EveryTick,
        1 => WriteProbe::Never,
        _ => WriteProbe::OnSuspicion,
    };
    settings.recovery.attempts.value = 1 + random.below(3) as u32;
    if random.percent(8) {
        settings.recovery.default.value = Action::Report;
    }
    if random.percent(10) {
        settings.reboot.root.value = RootAction::Report;
    }
    if random.percent(8) {
        settings.recovery.never_stop.value = vec![Text::from("a.service")];
    }
    settings.reboot.at_most.value = random.below(3) as u32;
    let mut mounts = BTreeMap::new();
    if random.percent(15) {
        let volume = random.choose(volumes).unwrap();
        let action = pick(random, &[Action::Report, Action::Recover, Action::Reboot]);
        let origin =
            xvdguard_logic::policy::Origin::File { name: Text::from("config.toml"), line: 1 };
        let shared = Chosen::by_default(random.percent(20));
        mounts.insert(
            Text::from(volume.mount_point),
            MountRule { action: Chosen { value: action, origin }, shared },
        );
    }
    settings.recovery.mounts = mounts;
    settings
}

/// Trouble of the storage: on one disk, or on all at once.
fn outage(random: &mut Random, volumes: &[Plan], events: &mut Vec<(u64, Event)>) {
    let kinds = [
        Backend::Erring,
        Backend::Erring,
        Backend::Erring,
        Backend::WriteErring,
        Backend::Stalled,
        Backend::Refusing,
        Backend::Slow,
        Backend::Gone,
    ];
    let from_ms = 2 * MINUTE + random.below(20 * MINUTE);
    let lasts_ms = match random.below(20) {
        0..=9 => SECOND + random.below(20 * SECOND),
        10..=17 => random.below(4 * MINUTE),
        18 => random.below(40 * MINUTE),
        // Until everything is over.
        _ => 0,
    };
    let kind = pick(random, &kinds);
    let is_announced = kind == Backend::WriteErring && lasts_ms % 2 == 1;
    let kind = if is_announced { Backend::ReadOnly } else { kind };
    // Who takes a disk away and does not bring it back at once often means it.
    let is_for_good = kind == Backend::Gone && lasts_ms < 10 * SECOND;
    let lasts_ms = if is_for_good { 0 } else { lasts_ms };
    let all = random.percent(35);
    let one = random.choose(volumes).unwrap().disk;
    let swapped = random.percent(6);
    let twice = random.percent(15);
    for volume in volumes.iter().filter(|volume| all || volume.disk == one) {
        events.push((from_ms, Event::Backend(volume.disk, kind)));
        if lasts_ms > 0 {
            let end_ms = from_ms + lasts_ms;
            if swapped {
                events.push((end_ms, Event::Swap(volume.disk)));
            }
            // A stall often ends in errors.
            let then =
                if kind == Backend::Stalled && twice { Backend::Erring } else { Backend::Up };
            events.push((end_ms, Event::Backend(volume.disk, then)));
            if twice {
                let again_ms = end_ms + random.below(30 * SECOND);
                let again = pick(random, &[Backend::Erring, Backend::Stalled]);
                events.push((again_ms, Event::Backend(volume.disk, again)));
                let end_ms = again_ms + random.below(20 * SECOND);
                events.push((end_ms, Event::Backend(volume.disk, Backend::Up)));
            }
        }
    }
}

fn people(
    random: &mut Random,
    kernel: KernelVersion,
    volumes: &[Plan],
    settings: &Settings,
    events: &mut Vec<(u64, Event)>,
) {
    let first_ms = events.iter().map(|(at_ms, _)| *at_ms).min().unwrap_or(0);
    let around = |random: &mut Random| match random.below(3) {
        0 => first_ms.saturating_sub(random.below(2 * MINUTE)),
        1 => first_ms + random.below(3 * MINUTE),
        _ => first_ms + random.below(40 * MINUTE),
    };
    for _ in 0..random.below(4) {
        events.push((around(random), Event::Kill(random.below(20 * SECOND))));
    }
    if random.percent(12) {
        let at_ms = around(random);
        hold(random, at_ms, events);
    }
    if random.percent(12) {
        events.push((around(random), Event::Migrate(random.percent(60))));
    }
    if random.percent(15) {
        let by_s = random.below(60_000_000) as i64 - 30_000_000;
        events.push((around(random), Event::WallJump(by_s)));
    }
    let point = random.choose(volumes).unwrap().mount_point;
    if point != "/" && random.percent(20) {
        events.push((around(random), Event::Seen(point, random.percent(50))));
    }
    if point != "/" && random.percent(6) {
        events.push((around(random), Event::Unmounted(point, random.below(10 * MINUTE))));
    }
    if random.percent(25) {
        events.push((around(random), Event::SpoofedLine(random.choose(volumes).unwrap().disk)));
    }
    // Who forbids the write that would tell has to believe the kernel.
    let is_probed = settings.daemon.write_probe.value != WriteProbe::Never;
    // And the write that clears up a false line could be what kills an idle file system.
    let refuses = |backend: &Backend| {
        backend.fails_writes_alone() || (*backend == Backend::Refusing && !can_flush_alone(kernel))
    };
    let is_refused = |(_, event): &(u64, Event)| match event {
        Event::Backend(_, backend) => refuses(backend),
        _ => false,
    };
    let is_harmless = is_probed && !events.iter().any(is_refused);
    if is_harmless && random.percent(12) {
        events.push((around(random), Event::FalseLine(random.choose(volumes).unwrap().disk)));
    }
    // Of an earlier mount, before the daemon is there.
    if is_harmless && random.percent(12) {
        events.push((0, Event::FalseLine(random.choose(volumes).unwrap().disk)));
    }
    if random.percent(10) {
        events.push((around(random), Event::Load(random.choose(volumes).unwrap().disk)));
    }
}

fn hold(random: &mut Random, at_ms: u64, events: &mut Vec<(u64, Event)>) {
    let until_ms = random.percent(30).then(|| at_ms + random.below(10 * MINUTE));
    let by = pick(random, &["host", "root"]);
    let hold = Hold { by: Text::from(by), mark: Text::from("1"), why: None, until_ms };
    events.push((at_ms, Event::HoldAsked(hold)));
    if random.percent(50) {
        events.push((at_ms + random.below(MINUTE), Event::HoldGone));
    }
    if random.percent(60) {
        events.push((at_ms + random.below(30 * MINUTE), Event::HoldReleased));
    }
}

fn guard(random: &mut Random) -> GuardPlan {
    let count = random.below(4);
    GuardPlan {
        is_lasting: !random.percent(8),
        earlier: (0..count).map(|_| random.percent(75)).collect(),
        is_clone: random.percent(5),
    }
}
