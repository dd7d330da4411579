//! Plays a guest from its first boot to the end, with the daemon or without it.

use xvdguard_linux::recording::ring::Ring;
use xvdguard_linux::recording::{Asked, Decided};
use xvdguard_logic::decide::Decision;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::memory::{Memory, State};
use xvdguard_logic::recovery::transitions::Stage;
use xvdguard_logic::recovery::world::World;

use crate::judge::{Judge, Verdict};
use crate::machine::Machine;
use crate::perform::Children;
use crate::script::{Event, MINUTE, Script};
use crate::view;

/// How the daemon decides: the real one, or one with a planted bug.
pub type Brain = fn(&Settings, Memory, &World) -> Decision;

/// Turns in one world: more than that is a loop that never ends.
const TURNS: usize = 60_000;

/// How long after its boot the daemon starts.
pub const START_MS: u64 = 5_000;

/// A volume went from state to state.
#[derive(Debug, Clone, Copy)]
pub struct Moved {
    /// When.
    pub at_ms: u64,
    /// Which volume of the script.
    pub volume: usize,
    pub from: Stage,
    pub to: Stage,
}

/// What was seen of one world.
#[derive(Debug)]
pub struct Story {
    pub machine: Machine,
    pub memory: Memory,
    pub moves: Vec<Moved>,
    pub turns: usize,
    /// What must never be, and was.
    pub wrong: Vec<Verdict>,
    /// How many alerts there were for the incident that each volume is in at the end.
    pub alerts: Vec<u32>,
}

/// The daemon, dead or alive.
struct Daemon {
    brain: Brain,
    memory: Memory,
    wake_ms: u64,
    /// Since when it runs, or when it starts.
    starts_ms: u64,
    boot: u64,
}

struct Play<'a> {
    script: &'a Script,
    machine: Machine,
    children: Children,
    judge: Judge,
    daemon: Option<Daemon>,
    moves: Vec<Moved>,
    turns: usize,
    next_event: usize,
    /// Events that people put off.
    late: Vec<(u64, Event)>,
    /// Takes every turn, which is printed as well.
    recording: Option<&'a mut Ring>,
}

/// Plays it.
pub fn play(seed: u64, script: &Script, brain: Option<Brain>) -> Story {
    tell(seed, script, brain, None)
}

/// The same, printed and recorded.
pub fn record(seed: u64, script: &Script, brain: Brain, recording: &mut Ring) -> Story {
    tell(seed, script, Some(brain), Some(recording))
}

fn tell(seed: u64, script: &Script, brain: Option<Brain>, recording: Option<&mut Ring>) -> Story {
    let daemon = brain.map(|brain| Daemon {
        brain,
        memory: Memory::default(),
        wake_ms: START_MS,
        starts_ms: START_MS,
        boot: 1,
    });
    let mut play = Play {
        script,
        machine: Machine::new(script, seed),
        children: Children::default(),
        judge: Judge::new(script),
        daemon,
        moves: Vec::new(),
        turns: 0,
        next_event: 0,
        late: Vec::new(),
        recording,
    };
    while play.step() {}
    let memory = play.daemon.map(|daemon| daemon.memory).unwrap_or_default();
    let alerts =
        (0..script.volumes.len()).map(|index| play.judge.track(view::device(index)).alerts);
    let alerts = alerts.collect();
    let mut wrong = play.judge.wrong;
    if play.turns >= TURNS {
        wrong.push(Verdict { rule: "never_loops", what: "turn after turn without an end".into() });
    }
    Story { machine: play.machine, memory, moves: play.moves, turns: play.turns, wrong, alerts }
}

impl Play<'_> {
    fn step(&mut self) -> bool {
        let event_ms = self.event_ms();
        let daemon_ms =
            self.daemon.as_ref().map_or(u64::MAX, |daemon| daemon.starts_ms.max(daemon.wake_ms));
        let next_ms =
            event_ms.min(daemon_ms).min(self.machine.next_ms()).min(self.children.next_ms());
        if next_ms >= self.script.end_ms || self.turns >= TURNS {
            return false;
        }
        self.machine.now_ms = next_ms.max(self.machine.now_ms);
        if event_ms <= self.machine.now_ms {
            self.happen();
        }
        self.machine.pass();
        for (deed, outcome) in self.children.pass(&mut self.machine) {
            self.judge.ended(&self.machine, &deed, &outcome);
        }
        if self.daemon.as_ref().is_some_and(|daemon| daemon.starts_ms > self.machine.now_ms) {
            // Who comes next is not told how the children of another one ended.
            self.children.ended.clear();
        }
        if self.machine.reboot_at_ms.is_some_and(|at_ms| at_ms <= self.machine.now_ms) {
            self.reboot();
        }
        self.wake();
        true
    }

    /// When the next event comes, those put off among them.
    fn event_ms(&self) -> u64 {
        let planned = self.script.events.get(self.next_event).map_or(u64::MAX, |(at_ms, _)| *at_ms);
        self.late.iter().map(|(at_ms, _)| *at_ms).min().unwrap_or(u64::MAX).min(planned)
    }

    fn next_event(&mut self) -> Event {
        let at_ms = self.event_ms();
        match self.late.iter().position(|(late_ms, _)| *late_ms == at_ms) {
            Some(index) => self.late.remove(index).1,
            None => {
                self.next_event += 1;
                self.script.events[self.next_event - 1].1.clone()
            }
        }
    }

    fn happen(&mut self) {
        let event = self.next_event();
        if self.recording.is_some() {
            println!("{:>9} ms  {event:?}", self.machine.now_ms);
        }
        if let Event::Seen(point, _) | Event::Unmounted(point, _) = &event
            && self.children.work_on(point)
        {
            // Any person would see that, and come back.
            self.late.push((self.machine.now_ms + MINUTE, event));
            return;
        }
        let children = &self.children;
        self.machine.happen(&event, |point| children.work_on(point));
        self.judge.happened(&self.machine, &event);
        if let (Event::Kill(for_ms), Some(daemon)) = (&event, &mut self.daemon) {
            daemon.starts_ms = daemon.starts_ms.max(self.machine.now_ms + for_ms);
            self.children.orphan(self.script.children_survive);
        }
    }

    fn reboot(&mut self) {
        self.judge.reboots(&self.machine, &self.children);
        self.children = Children::default();
        self.machine.restart();
        if let Some(daemon) = &mut self.daemon {
            daemon.starts_ms = self.machine.now_ms + START_MS;
            daemon.wake_ms = daemon.starts_ms;
            daemon.boot = self.machine.boot;
            daemon.memory = Memory::default();
        }
    }

    /// A turn of the daemon, where it lives and something wakes it.
    fn wake(&mut self) {
        let now_ms = self.machine.now_ms;
        let Some(daemon) = &mut self.daemon else {
            self.machine.has_news = false;
            return;
        };
        let is_awake = self.machine.has_news || daemon.wake_ms <= now_ms;
        if daemon.starts_ms > now_ms || !is_awake || !self.machine.is_up {
            if !self.machine.is_up {
                daemon.starts_ms = daemon.starts_ms.max(now_ms + START_MS);
            }
            return;
        }
        self.machine.has_news = false;
        self.turns += 1;
        let mut world = view::world(&mut self.machine, self.script);
        world.ended = std::mem::take(&mut self.children.ended);
        world.running = self.children.running.iter().map(|child| child.effect.id).collect();
        let before = std::mem::take(&mut daemon.memory);
        let kept = self.recording.is_some().then(|| before.clone());
        let mut decision = (daemon.brain)(&self.script.settings, before, &world);
        daemon.memory = std::mem::take(&mut decision.memory);
        if let (Some(recording), Some(memory)) = (&mut self.recording, &kept) {
            let asked = Asked { settings: &self.script.settings, memory, world: &world };
            recording.take(asked, &Decided::of(&decision, memory, &daemon.memory));
        }
        daemon.wake_ms = self.machine.boot_at_ms + decision.wake_ms;
        self.judge.decided(&self.machine, &world, &daemon.memory);
        for step in &decision.moves {
            let volume = view::index(step.device);
            self.moves.push(Moved { at_ms: now_ms, volume, from: step.from, to: step.to });
            self.judge.moves(step);
            if self.recording.is_some() {
                println!("{now_ms:>9} ms  {:?}: {:?} → {:?}", step.device, step.from, step.to);
            }
        }
        for effect in decision.effects {
            if self.recording.is_some() {
                println!("{now_ms:>9} ms    {effect:?}");
            }
            self.judge.ordered(&self.machine, &self.children, &effect);
            self.children.begin(&mut self.machine, effect);
        }
        decision.moves.iter().for_each(|step| self.judge.moved(step));
    }
}

impl Story {
    /// Whether a volume is as it should be: mounted, on the disk that it was mounted from, taking
    /// writes, its users running.
    pub fn is_well(&self, index: usize) -> bool {
        let volume = &self.machine.volumes[index];
        let all_run = volume.plan.units.iter().all(|unit| volume.running.contains(unit));
        let is_there = volume.mount.is_some() && self.machine.is_same(index);
        is_there && volume.is_alive && all_run && volume.damage.is_empty()
    }

    /// Where the daemon believes a volume to stand.
    pub fn state(&self, index: usize) -> Option<State> {
        let device = view::device(index);
        let known = self.memory.volumes.iter().find(|volume| volume.target.device == device)?;
        Some(known.state)
    }
}
