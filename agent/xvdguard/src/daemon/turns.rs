//! The loop: one turn after the other.

use std::time::{Duration, Instant};

use xvdguard_linux::clock;
use xvdguard_linux::probe::judge_all;
use xvdguard_linux::recording::{Asked, Decided};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::decide::{Decision, decide};
use xvdguard_logic::plan::later;
use xvdguard_logic::policy::frozen;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::{
    Announcement, Deed, Effect, EffectId, FailureKind, Level, Outcome,
};
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::daemon as wording;

use super::announce::{self, Voice};
use super::casebook::Casebook;
use super::keeping::Post;
use super::later::Later;
use super::look::{self, Eyes};
use super::notify;
use super::recorder::Recorder;
use super::reload::Reload;
use super::sources::{News, Sources, Woken};
use super::state::{self, State};
use super::work::{self, Work};
use crate::arguments::Global;
use crate::commands::{Session, probe};

/// How long the last record may take when the daemon ends.
const LAST: Duration = Duration::from_secs(10);
/// How long a recovery may take that is running then: a minute less than the unit and the init
/// script allow (TimeoutStopSec=, --retry).
const ENDED_WITHIN: Duration = Duration::from_secs(14 * 60);

/// A running daemon.
pub struct Daemon {
    pub session: Session,
    pub global: Global,
    pub settings: Settings,
    pub sources: Sources,
    pub voice: Voice,
    pub post: Option<Post>,
    pub world: World,
    pub memory: Memory,
    pub state: State,
    pub last_failure: String,
    pub reload: Reload,
    pub later: Later,
    pub casebook: Casebook,
    pub recorder: Recorder,
    pub rounds: Rounds,
    /// When it was asked to end, where it cannot yet.
    pub asked_to_stop: Option<Instant>,
}

impl Daemon {
    /// Until SIGTERM.
    pub fn run(&mut self) {
        let mut work = Work::default();
        let mut is_ready = false;
        let mut alive = Alive::new(self.settings.daemon.tick.value);
        loop {
            let decision = self.turn(&mut work);
            self.tell(&mut is_ready, work.hanging());
            alive.tell();
            if self.world.is_stopping && self.may_stop() {
                return self.finish(&mut work);
            }
            let woken = self.wait(&work, decision.wake_ms, &alive);
            self.take(&mut work, woken);
        }
    }

    /// What has been taken from its users is given back first, as long as that goes on: nobody's
    /// shutdown waits for a disk that does not answer.
    fn may_stop(&mut self) -> bool {
        if self.memory.amid_recovery().any(|volume| volume.job.is_some()) {
            let asked = *self.asked_to_stop.get_or_insert_with(|| {
                announce::note(wording::STOPS_LATER);
                Instant::now()
            });
            if asked.elapsed() < ENDED_WITHIN {
                return false;
            }
        }
        let left = self.memory.amid_recovery().map(|volume| &volume.target.mount_point);
        left.for_each(|point| announce::note(&wording::stops_amid(point)));
        true
    }

    /// The keeper ends with us, unless a reboot is its own now.
    pub fn end(self) {
        let is_its_own = self.memory.is_rebooting;
        if let Some(post) = self.post.filter(|_| !is_its_own) {
            post.end();
        }
    }

    /// Decides, keeps what is to be kept, and begins what is to be done.
    fn turn(&mut self, work: &mut Work) -> Decision {
        self.world.running = work.running();
        let before = std::mem::take(&mut self.memory);
        let mut decision = decide(&self.settings, before.clone(), &self.world);
        self.casebook.take(&self.world, &decision);
        self.memory = std::mem::take(&mut decision.memory);
        if self.memory != before
            && let Err(error) = state::keep(&self.session.world.root, &self.memory)
        {
            self.world.seen.oddities.push(error.to_string());
        }
        for effect in &decision.effects {
            self.perform(effect, work);
        }
        if let Some(post) = &mut self.post {
            let known = (&self.settings, &self.memory, &self.world.guard);
            post.keep_armed(&self.session.world.root, known);
        }
        self.record(&before, &decision);
        self.world.ended.clear();
        self.world.releases.clear();
        decision
    }

    /// Last of all: nobody waits for it.
    fn record(&mut self, before: &Memory, decision: &Decision) {
        let decided = Decided::of(decision, before, &self.memory);
        let asked = Asked { settings: &self.settings, memory: before, world: &self.world };
        self.recorder.take(asked, &decided);
        let recorder = &self.recorder;
        self.casebook.add_recording(&|| recorder.document());
    }

    fn perform(&mut self, effect: &Effect, work: &mut Work) {
        let global = &self.global;
        let flush = |disk: &Text| probe::in_child(global, disk);
        if work.begin(&self.session.world.root, effect, &flush) {
            return;
        }
        let outcome = match &effect.deed {
            Deed::Announce(what) => self.announce(effect.id, what),
            Deed::Reboot(ladder) => match &self.post {
                Some(post) => match post.reboot(ladder, &self.world) {
                    Ok(()) => Outcome::Done,
                    Err(error) => work::failed(FailureKind::Other, error.to_string()),
                },
                None => work::no_keeper(),
            },
            _ => return,
        };
        work.end(effect.id, outcome);
    }

    /// Whoever must do something, or finds the guest rebooted, is told where the evidence is.
    fn announce(&mut self, id: EffectId, what: &Announcement) -> Outcome {
        let bundle = what.mount_point.as_ref().and_then(|at| self.casebook.announced(at));
        let places = &mut self.session.world;
        match bundle.filter(|_| what.level != Level::Notice) {
            None => self.voice.say(places, id, what),
            Some(path) => {
                let text = wording::with_bundle(&what.text, &path);
                self.voice.say(places, id, &Announcement { text, ..what.clone() })
            }
        }
    }

    fn wait(&mut self, work: &Work, wake_ms: u64, alive: &Alive) -> Woken {
        self.sources.settle();
        let now_ms = clock::boot_ms();
        let mut patience = Duration::from_millis(wake_ms.saturating_sub(now_ms));
        patience = patience.min(alive.patience());
        let ours = [self.reload.deadline(), self.later.deadline(), self.casebook.deadline()];
        for deadline in work.deadline().into_iter().chain(ours.into_iter().flatten()) {
            patience = patience.min(deadline.saturating_duration_since(Instant::now()));
        }
        if work.has_ended() {
            patience = Duration::ZERO;
        }
        let xenstore = self.session.world.xenstore.as_ref();
        let ours = [self.reload.file(), self.later.file(), self.casebook.file()];
        let files = work.files().chain(ours.into_iter().flatten());
        self.sources.wait(xenstore, files, patience)
    }

    /// Ends of effects first: what they changed is looked at after that.
    fn take(&mut self, work: &mut Work, woken: Woken) {
        self.world.ended.extend(work.take_ended());
        self.note_failures();
        let came = self.sources.take(woken);
        let Due { tick, round, everything } = self.rounds.due(self.settings.daemon.tick.value);
        let has_ended = !self.world.ended.is_empty();
        let quiet = came.quiet && !round && !has_ended;
        let mut news = News { mounts: came.mounts || has_ended, tick, round, quiet, ..came };
        news.world |= everything || self.world.ended.iter().any(|one| self.memory.cares_by(one.id));
        self.later.take();
        let is_reloaded = self.take_settings();
        news.world |= is_reloaded;
        if is_reloaded || news.fstab {
            self.later.forget();
        }
        if news.configuration || self.reload.is_owed() {
            self.reload();
        }
        self.world.is_stopping |= news.end;
        let eyes = Eyes::of(&mut self.session.world, &mut self.sources, &self.memory);
        look::refresh(eyes, &mut self.world, news);
    }

    /// What a step said when it failed, for whoever reads the log later; a disk that is asked again
    /// and again says it once.
    fn note_failures(&mut self) {
        for ended in &self.world.ended {
            if let Outcome::Failed(failure) = &ended.outcome
                && failure.text != self.last_failure
            {
                announce::note(&failure.text);
                self.last_failure.clone_from(&failure.text);
            }
        }
    }

    /// Has the configuration read again.
    fn reload(&mut self) {
        notify::reloading();
        let named = self.global.config.as_deref();
        if let Err(error) = self.reload.ask(&self.session.world.root, named) {
            announce::note(&error);
            notify::ready(&self.state.sentence);
        }
    }

    /// Takes over what was read; whether anything was. A wrong configuration changes nothing.
    fn take_settings(&mut self) -> bool {
        let Some(read) = self.reload.take() else { return false };
        match read {
            Ok(read) => {
                let words = KernelWords::parse(&self.world.seen.command_line);
                let hash = frozen::hash(&read.settings.policy);
                self.reload.compare(&self.session.world.root, &hash);
                self.settings = read.settings.effective(&words);
                announce::note(wording::RELOADED);
            }
            Err(problems) => {
                announce::error(&problems.to_string());
                announce::note(wording::OLD_SETTINGS);
            }
        }
        notify::ready(&self.state.sentence);
        true
    }

    /// The service manager, `status` and whoever logs in, where something is new.
    fn tell(&mut self, is_ready: &mut bool, hanging: usize) {
        let root = &self.session.world.root;
        let now_ms = self.world.seen.boot_ms;
        let disks = judge_all(&self.world.seen, &self.world.reports, None);
        let mut state = State { hanging, ..self.state.clone() };
        state.sentence = wording::sentence(&disks, &self.memory);
        if later::is_time(&self.settings, &self.memory, &self.world) {
            self.later.begin(&self.global, &disks);
        }
        self.casebook.work(root).iter().for_each(|line| announce::note(line));
        state.take(&self.memory, &self.casebook, now_ms);
        if state == self.state && *is_ready {
            return;
        }
        if state.sentence != self.state.sentence || !*is_ready {
            match *is_ready {
                true => notify::status(&state.sentence),
                false => notify::ready(&state.sentence),
            }
        }
        announce::message_of_the_day(root, &State::alerts(&self.memory, now_ms));
        // Without it `status` looks for itself.
        let _ = state.write(root);
        self.state = state;
        *is_ready = true;
    }

    /// The last record is written before the daemon is gone.
    fn finish(&mut self, work: &mut Work) {
        let until = Instant::now() + LAST;
        while (work.is_busy() || self.casebook.is_busy()) && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            let files = work.files().chain(self.casebook.file());
            self.sources.wait(None, files, left.min(LAST / 10));
            let said = self.casebook.work(&self.session.world.root);
            said.iter().for_each(|line| announce::note(line));
            self.world.ended.extend(work.take_ended());
        }
        // Nothing is begun any more: what was ordered is known to the next daemon.
        self.world.running = work.running();
        let decision = decide(&self.settings, self.memory.clone(), &self.world);
        let _ = state::keep(&self.session.world.root, &decision.memory);
    }
}

/// What is looked at although nothing said so.
pub struct Rounds {
    last: Instant,
    ticks: u32,
}

/// What it is time for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Due {
    /// Counters.
    tick: bool,
    /// What can be seen without waking anybody.
    round: bool,
    /// Everything, also what somebody should have told of.
    everything: bool,
}

impl Default for Rounds {
    fn default() -> Rounds {
        Rounds { last: Instant::now(), ticks: 0 }
    }
}

impl Rounds {
    /// A round takes a millisecond: in ten minutes, with the tick that is the default.
    const TICKS: u32 = 20;
    /// Everything takes some dozen answers of the host: in an hour.
    const ROUNDS: u32 = 6;

    fn due(&mut self, tick: Duration) -> Due {
        if self.last.elapsed() < tick {
            return Due::default();
        }
        self.last = Instant::now();
        self.ticks = (self.ticks + 1) % (Rounds::TICKS * Rounds::ROUNDS);
        let round = self.ticks % Rounds::TICKS == 0;
        Due { tick: true, round, everything: self.ticks == 0 }
    }
}

/// When the service manager wants to hear of us.
struct Alive {
    every: Duration,
    last: Option<Instant>,
}

impl Alive {
    fn new(tick: Duration) -> Alive {
        Alive { every: notify::watchdog().map_or(tick, |watchdog| watchdog.min(tick)), last: None }
    }

    fn tell(&mut self) {
        if self.patience().is_zero() {
            notify::alive();
            self.last = Some(Instant::now());
        }
    }

    fn patience(&self) -> Duration {
        self.last.map_or(Duration::ZERO, |last| self.every.saturating_sub(last.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_twentieth_tick_is_a_round_and_each_sixth_round_looks_at_everything() {
        let mut rounds = Rounds::default();
        assert_eq!(rounds.due(Duration::from_secs(3600)), Due::default());
        let due: Vec<Due> = (0..240).map(|_| rounds.due(Duration::ZERO)).collect();
        assert!(due.iter().all(|due| due.tick));
        let numbers = |wanted: fn(&Due) -> bool| -> Vec<usize> {
            (1..).zip(&due).filter(|(_, due)| wanted(due)).map(|(number, _)| number).collect()
        };
        assert_eq!(numbers(|due| due.round)[..3], [20, 40, 60]);
        assert_eq!(numbers(|due| due.everything), [120, 240]);
    }
}
