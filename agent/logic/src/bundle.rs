//! The evidence bundle of an incident: first lines, world, decisions, for whoever looks later.
//!
//! Kept in memory while a volume is dead, in bounds: the first of everything tells most. Nothing
//! here decides anything, and nothing is read from it again.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::decide::Decision;
use crate::recovery::effects::{Deed, Effect, EffectId, Ended, Target};
use crate::recovery::memory::{Memory, State, VolumeMemory};
use crate::recovery::signs::Sign;
use crate::recovery::transitions::Move;
use crate::recovery::world::{DiskSeen, Domain, Hold, World};
use crate::text::Text;
use crate::verdict::evidence::Evidence;
use crate::wording::recovery as wording;
use crate::xen::XenMode;

/// Lines of the kernel that are kept.
const LINES: usize = 32;
/// Steps that are kept.
const STEPS: usize = 256;
/// Questions whether a disk answers that are kept.
const QUESTIONS: usize = 16;

/// Everything about one incident of one volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bundle {
    /// The volume.
    pub target: Target,
    /// Names of the disks below it.
    pub disks: Vec<Text>,
    /// When it began, in milliseconds since boot.
    pub began_ms: u64,
    /// What the incident rests on.
    pub evidence: Vec<Evidence>,
    /// The kernel's lines about volume and disks, the first of each kind, with how often.
    pub lines: Vec<Sign>,
    /// The world when it began.
    pub world: Around,
    /// What was decided, done and answered, in order.
    pub steps: Vec<Step>,
    /// Steps that there was no room for.
    pub left_out: u64,
    /// Where it stood last; none while it is under way.
    pub end: Option<&'static str>,
}

/// What there was around it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Around {
    /// The boot.
    pub boot_id: Option<Text>,
    /// The running kernel.
    pub kernel: Option<String>,
    /// The kind of domain.
    pub xen: XenMode,
    /// Which domain.
    pub domain: Domain,
    /// Options of the super block as mountinfo shows them.
    pub super_options: Option<Text>,
    /// Counters of the disks below it.
    pub disks: Vec<DiskSeen>,
    /// The hold in force.
    pub hold: Option<Hold>,
    /// Every other volume, and how it was.
    pub others: Vec<Other>,
}

/// Another volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Other {
    /// Where it is mounted.
    pub mount_point: Text,
    /// How it was.
    pub health: &'static str,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// When, in milliseconds since boot.
    pub boot_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// It went from one state to another.
    Moved(Moved),
    /// This was ordered.
    Ordered(Effect),
    /// This came of an order.
    Ended(Ended),
}

/// From where to where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    /// A state and its step.
    pub from: String,
    /// A state and its step.
    pub to: String,
}

impl Bundle {
    /// Begins with what is known at that moment.
    pub fn begin(volume: &VolumeMemory, memory: &Memory, world: &World) -> Bundle {
        let others = memory.volumes.iter().filter(|one| one.target != volume.target);
        let mount = world.seen.mounts.iter().find(|mount| mount.id == volume.target.mount_id);
        let below = |disk: &&DiskSeen| volume.disks.contains(&disk.name);
        Bundle {
            target: volume.target.clone(),
            disks: volume.disks.clone(),
            began_ms: volume.incident_ms.unwrap_or(world.seen.boot_ms),
            evidence: Vec::new(),
            lines: Vec::new(),
            world: Around {
                boot_id: world.seen.boot_id.clone(),
                kernel: world.seen.kernel.map(|kernel| kernel.to_string()),
                xen: world.seen.xen,
                domain: world.domain.clone(),
                super_options: mount.map(|mount| mount.super_options.clone()),
                disks: world.disks.iter().filter(below).cloned().collect(),
                hold: memory.hold.clone(),
                others: others.map(Other::of).collect(),
            },
            steps: Vec::new(),
            left_out: 0,
            end: None,
        }
    }

    /// Takes one turn: what had ended before it, and what it decided.
    pub fn take(&mut self, world: &World, decision: &Decision) {
        let now_ms = world.seen.boot_ms;
        let answers = world.ended.iter().filter(|ended| self.has_ordered(ended.id));
        let answers: Vec<What> = answers.cloned().map(What::Ended).collect();
        let moves = decision.moves.iter().filter(|one| one.device == self.target.device);
        let moves = moves.map(|one| What::Moved(Moved::of(one)));
        let effects = decision.effects.iter().filter(|effect| self.concerns(&effect.deed));
        let effects = effects.cloned().map(What::Ordered);
        let new: Vec<What> = answers.into_iter().chain(moves).chain(effects).collect();
        new.into_iter().for_each(|what| self.push(now_ms, what));
        self.take_signs(world);
        let volumes = &decision.memory.volumes;
        let volume = volumes.iter().find(|one| one.target.device == self.target.device);
        // A volume that is healthy again has forgotten what it was about.
        if let Some(volume) = volume.filter(|volume| !volume.evidence.is_empty()) {
            self.evidence.clone_from(&volume.evidence);
        }
        self.end = volume.map_or(Some("gone"), |volume| end(volume.state));
    }

    /// Makes room: the later half of the steps goes. False where none is left.
    pub fn halve(&mut self) -> bool {
        let kept = self.steps.len() / 2;
        self.left_out += (self.steps.len() - kept) as u64;
        self.steps.truncate(kept);
        kept > 0
    }

    /// A disk is asked every second of an outage: only the first of these questions are told.
    fn push(&mut self, boot_ms: u64, what: What) {
        let is_question = |what: &What| match what {
            What::Ordered(effect) => matches!(effect.deed, Deed::AskDisk(_)),
            _ => false,
        };
        let asked = self.steps.iter().filter(|step| is_question(&step.what)).count();
        let is_more = is_question(&what) && asked >= QUESTIONS;
        if self.steps.len() < STEPS && !is_more {
            self.steps.push(Step { boot_ms, what });
        } else {
            self.left_out += 1;
        }
    }

    fn take_signs(&mut self, world: &World) {
        let concerns = |sign: &&Sign| {
            let device = sign.device.as_ref();
            device.is_some_and(|name| *name == self.target.device_name || self.disks.contains(name))
        };
        let now: Vec<Sign> = world.signs.iter().filter(concerns).take(LINES).cloned().collect();
        // A mount that went well makes the kernel's lines forgotten, not the bundle's.
        for sign in now {
            let known = self.lines.iter_mut().find(|one| {
                one.kind == sign.kind && one.device == sign.device && one.first == sign.first
            });
            if let Some(known) = known {
                *known = sign;
            } else if self.lines.len() < LINES {
                self.lines.push(sign);
            }
        }
    }

    fn has_ordered(&self, id: EffectId) -> bool {
        let is_it = |step: &Step| matches!(&step.what, What::Ordered(effect) if effect.id == id);
        self.steps.iter().any(is_it)
    }

    fn concerns(&self, deed: &Deed) -> bool {
        if let Some(target) = deed.target() {
            return target.device == self.target.device;
        }
        match deed {
            Deed::AskDisk(disk) | Deed::ProbeFlush(disk) => self.disks.contains(disk),
            Deed::SetQueue(setting) => self.disks.contains(&setting.disk),
            Deed::Announce(what) => what.mount_point.as_ref() == Some(&self.target.mount_point),
            Deed::Reboot(ladder) => ladder.dead.contains(&self.target.device),
            _ => false,
        }
    }
}

impl Moved {
    /// In words.
    pub fn of(one: &Move) -> Moved {
        let word = |stage: &dyn core::fmt::Debug| alloc::format!("{stage:?}").to_lowercase();
        Moved { from: word(&one.from), to: word(&one.to) }
    }
}

impl Other {
    fn of(volume: &VolumeMemory) -> Other {
        let mount_point = volume.target.mount_point.clone();
        Other { mount_point, health: wording::health(volume.state) }
    }
}

/// Where a bundle is ready to be written.
fn end(state: State) -> Option<&'static str> {
    match state {
        State::Healthy | State::GivenUp(_) | State::RebootPending(_) => {
            Some(wording::health(state))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::block::DeviceNumber;
    use crate::kernel_log::record::Record;
    use crate::recovery::effects::Outcome;
    use crate::recovery::transitions::Stage;

    fn volume(state: State) -> VolumeMemory {
        let device = DeviceNumber { major: 202, minor: 16 };
        let target = Target { device, device_name: "xvdb".into(), ..Target::default() };
        let incident_ms = Some(1000);
        let disks = vec!["xvdb".into()];
        VolumeMemory { target, disks, state, incident_ms, ..VolumeMemory::default() }
    }

    fn decision(state: State, effects: Vec<Effect>) -> Decision {
        let memory = Memory { volumes: vec![volume(state)], ..Memory::default() };
        let device = DeviceNumber { major: 202, minor: 16 };
        let moves = vec![Move { device, from: Stage::Healthy, to: state.into() }];
        Decision { memory, effects, moves, wake_ms: 0 }
    }

    fn ask(id: EffectId, disk: &str) -> Effect {
        Effect { id, deadline_ms: None, deed: Deed::AskDisk(disk.into()) }
    }

    fn world(line: &str) -> World {
        let mut world = World::default();
        let text = line.as_bytes();
        world.signs.take(&Record { priority: 3, sequence: 0, boot_us: 0, text });
        world
    }

    #[test]
    fn a_bundle_holds_lines_moves_orders_and_their_answers() {
        let world = world("Aborting journal on device xvdb-8.");
        let first = decision(State::Aborted, vec![ask(7, "xvdb"), ask(8, "xvda")]);
        let mut bundle = Bundle::begin(&first.memory.volumes[0], &first.memory, &world);
        bundle.take(&world, &first);
        assert_eq!((bundle.began_ms, bundle.lines.len(), bundle.end), (1000, 1, None));
        let ended = [7, 8].map(|id| Ended { id, outcome: Outcome::Done });
        let later = World { ended: ended.into(), ..World::default() };
        bundle.take(&later, &decision(State::Healthy, vec![]));
        let told: Vec<&What> = bundle.steps.iter().map(|step| &step.what).collect();
        assert!(matches!(told[0], What::Moved(Moved { to, .. }) if to == "aborted"), "{told:?}");
        assert!(matches!(told[1], What::Ordered(Effect { id: 7, .. })), "{told:?}");
        assert!(matches!(told[2], What::Ended(Ended { id: 7, .. })), "{told:?}");
        assert_eq!((told.len(), bundle.end, bundle.lines.len()), (4, Some("healthy"), 1));
    }

    #[test]
    fn an_outage_of_days_does_not_make_it_grow() {
        let world = World::default();
        let first = decision(State::Aborted, vec![]);
        let mut bundle = Bundle::begin(&first.memory.volumes[0], &first.memory, &world);
        for id in 0..100_000 {
            let mut turn = decision(State::Aborted, vec![ask(id, "xvdb")]);
            turn.moves.clear();
            bundle.take(&world, &turn);
        }
        assert_eq!((bundle.steps.len(), bundle.left_out), (QUESTIONS, 100_000 - QUESTIONS as u64));
        for _ in 0..1000 {
            bundle.take(&world, &first);
        }
        assert_eq!(bundle.steps.len(), STEPS);
    }
}
