//! What the judge knows of a guest: what was really so, told apart from what the daemon believes.

use std::collections::{BTreeMap, BTreeSet};

use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::recovery::effects::{Deed, Effect, EffectId, Level, Outcome};
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::transitions::{Move, Stage};
use xvdguard_logic::recovery::world::{Hold, Release, World};
use xvdguard_logic::text::Text;

use crate::invariants;
use crate::machine::Machine;
use crate::perform::Children;
use crate::script::{Backend, Event, Script};

/// A rule that was broken, and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub rule: &'static str,
    pub what: String,
}

/// The answers of one disk, as they really came.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answers {
    pub since_ms: Option<u64>,
    pub last_ms: Option<u64>,
}

/// What was done to one volume since it was mounted by somebody else, or was healthy.
#[derive(Debug, Clone, Default)]
pub struct Track {
    pub is_verified: bool,
    pub is_free: bool,
    pub takes_writes: bool,
    pub stopped: BTreeSet<Text>,
    /// The mount whose users were stopped.
    pub stopped_on: Option<u64>,
    pub recoveries: Vec<u64>,
    pub alerts: u32,
}

/// Follows a guest and judges what the daemon orders.
pub struct Judge {
    pub script: Script,
    pub wrong: Vec<Verdict>,
    pub answers: BTreeMap<Text, Answers>,
    pub tracks: BTreeMap<DeviceNumber, Track>,
    pub hold: Option<Hold>,
    released: Option<Hold>,
    pub troubled: BTreeSet<Text>,
    said: BTreeSet<EffectId>,
    ids: BTreeMap<EffectId, Deed>,
    turns: u64,
}

/// The volume that a deed is about.
pub fn target(deed: &Deed) -> Option<DeviceNumber> {
    deed.target().map(|target| target.device)
}

impl Judge {
    pub fn new(script: &Script) -> Judge {
        Judge {
            script: script.clone(),
            wrong: Vec::new(),
            answers: BTreeMap::new(),
            tracks: BTreeMap::new(),
            hold: None,
            released: None,
            troubled: BTreeSet::new(),
            said: BTreeSet::new(),
            ids: BTreeMap::new(),
            turns: 0,
        }
    }

    pub fn track(&mut self, device: DeviceNumber) -> &mut Track {
        self.tracks.entry(device).or_default()
    }

    /// Notes a broken rule, where there is one.
    fn note(&mut self, rule: &'static str, what: Option<String>) {
        if let Some(what) = what {
            self.wrong.push(Verdict { rule, what });
        }
    }

    /// Something happened to the guest.
    pub fn happened(&mut self, machine: &Machine, event: &Event) {
        match event {
            Event::Backend(name, backend) if *backend != Backend::Up => {
                self.troubled.insert(Text::from(*name));
            }
            // A person has it in hand: what was before is theirs to judge.
            Event::Unmounted(point, _) => {
                self.track(crate::view::device(machine.at(point))).recoveries.clear();
            }
            // So looks a guest that wakes up elsewhere.
            Event::Migrate(_) | Event::WallJump(_) => {
                self.troubled.extend(machine.disks.iter().map(|disk| Text::from(disk.name)));
            }
            _ => {}
        }
    }

    /// An effect came to its end.
    pub fn ended(&mut self, machine: &Machine, deed: &Deed, outcome: &Outcome) {
        let now_ms = machine.now_ms;
        let is_good = matches!(outcome, Outcome::Done | Outcome::AlreadySo);
        if let Deed::AskDisk(name) = deed {
            let answers = self.answers.entry(name.clone()).or_default();
            if is_good {
                answers.since_ms.get_or_insert(now_ms);
                answers.last_ms = Some(now_ms);
            } else {
                *answers = Answers::default();
            }
        }
        let Some(device) = target(deed) else { return };
        let track = self.track(device);
        match deed {
            Deed::VerifySameDisk(..) => track.is_verified = is_good,
            Deed::CheckFree(_) => track.is_free = is_good,
            Deed::Umount(_) | Deed::Mount(..) => {
                track.is_free = false;
                track.takes_writes = false;
            }
            Deed::ProbeWrite(_) => track.takes_writes = is_good,
            _ => {}
        }
    }

    /// The guest is rebooted at this moment.
    pub fn reboots(&mut self, machine: &Machine, children: &Children) {
        self.note("never_kills_fsck", invariants::never_kills_fsck(children));
        // A hold lives in the guest; the host's can be seen again after the boot.
        self.hold = None;
        self.released = None;
        self.answers.clear();
        self.tracks.clear();
        self.said.clear();
        self.ids.clear();
        self.troubled.clear();
        for disk in machine.disks.iter().filter(|disk| disk.backend != Backend::Up) {
            self.troubled.insert(Text::from(disk.name));
        }
    }

    /// The daemon saw this world and keeps this memory.
    pub fn decided(&mut self, machine: &Machine, world: &World, memory: &Memory) {
        self.latch(world);
        self.doubt(machine, world);
        // What takes no write may answer what it likes.
        for disk in world.disks.iter().filter(|disk| disk.read_only) {
            self.answers.remove(&disk.name);
        }
        self.turns += 1;
        if self.turns % 64 == 1 {
            self.note("never_grows", invariants::never_grows(memory));
        }
    }

    /// A step of which the daemon was told that it met a failing disk counts for more than what
    /// that disk answered before.
    fn doubt(&mut self, machine: &Machine, world: &World) {
        for ended in world.ended.iter().filter(|ended| ended.outcome.is_storage()) {
            let Some(Deed::CheckFree(target) | Deed::Fsck(target, _) | Deed::Mount(target, _)) =
                self.ids.get(&ended.id)
            else {
                continue;
            };
            let disk = invariants::volume(machine, target).plan.disk;
            self.answers.remove(&Text::from(disk));
        }
    }

    /// The hold as a person means it.
    fn latch(&mut self, world: &World) {
        let is_over =
            |hold: &Hold| hold.until_ms.is_some_and(|until_ms| until_ms <= world.seen.boot_ms);
        if world.releases.contains(&Release::Hold) {
            self.released = world.hold.clone().or(self.hold.take());
        }
        if let Some(hold) = world.hold.clone().filter(|one| self.released.as_ref() != Some(one)) {
            self.hold = Some(hold);
        }
        self.hold = self.hold.take().filter(|hold| !is_over(hold));
    }

    /// A volume goes from state to state; before the effects of the turn.
    pub fn moves(&mut self, step: &Move) {
        self.note("only_goes_where_the_table_says", invariants::is_in_table(step));
        if step.from == Stage::GivenUp {
            *self.track(step.device) = Track {
                stopped: std::mem::take(&mut self.track(step.device).stopped),
                ..Track::default()
            };
        }
    }

    /// The same, after the effects of the turn.
    pub fn moved(&mut self, step: &Move) {
        if step.to == Stage::Healthy {
            let recoveries = std::mem::take(&mut self.track(step.device).recoveries);
            *self.track(step.device) = Track { recoveries, ..Track::default() };
        }
    }

    /// The daemon orders something.
    pub fn ordered(&mut self, machine: &Machine, children: &Children, effect: &Effect) {
        for (rule, judge) in invariants::RULES {
            let what = judge(self, machine, children, effect);
            self.note(rule, what);
        }
        self.follow(machine, effect);
    }

    fn follow(&mut self, machine: &Machine, effect: &Effect) {
        let is_new = self.ids.insert(effect.id, effect.deed.clone()).is_none();
        let now_ms = machine.now_ms;
        match &effect.deed {
            Deed::StopUsers(target, units) => {
                let mount = machine.volumes[machine.at(target.mount_point.as_str().unwrap())].mount;
                let track = self.track(target.device);
                track.stopped.extend(units.iter().cloned());
                track.stopped_on = mount;
            }
            Deed::Umount(target) if is_new => self.track(target.device).recoveries.push(now_ms),
            Deed::Announce(announcement) if self.said.insert(effect.id) => {
                let point = announcement.mount_point.as_ref();
                let index = point.map(|point| machine.at(point.as_str().unwrap()));
                if let (Some(index), Level::Alert) = (index, announcement.level) {
                    self.track(crate::view::device(index)).alerts += 1;
                }
            }
            _ => {}
        }
    }

    /// The deed that bears this name already.
    pub fn known(&self, id: EffectId) -> Option<&Deed> {
        self.ids.get(&id)
    }
}
