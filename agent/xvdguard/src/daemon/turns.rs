//! The loop: one turn after the other.

use std::time::{Duration, Instant};

use xvdguard_linux::clock;
use xvdguard_linux::probe::judge_all;
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::decide::{Decision, decide};
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::{Deed, Effect, FailureKind, Outcome};
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::daemon as wording;

use super::announce::{self, Voice};
use super::keeping::Post;
use super::look::{self, Eyes};
use super::notify;
use super::sources::{News, Sources};
use super::state::{self, State};
use super::work::{self, Work};
use crate::arguments::Global;
use crate::commands::{Session, probe};
use crate::config as configuration;

/// How long the last record may take when the daemon ends.
const LAST: Duration = Duration::from_secs(10);

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
}

impl Daemon {
    /// Until SIGTERM.
    pub fn run(&mut self) {
        let mut work = Work::default();
        let mut is_ready = false;
        let mut alive = Alive::new(self.settings.daemon.tick.value);
        loop {
            let decision = self.turn(&mut work);
            self.tell(&mut is_ready);
            alive.tell();
            if self.world.is_stopping {
                return self.finish(&mut work);
            }
            let has_mounts = self.wait(&work, decision.wake_ms, &alive);
            self.take(&mut work, has_mounts);
        }
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
        let mut decision = decide(&self.settings, self.memory.clone(), &self.world);
        self.world.ended.clear();
        self.world.releases.clear();
        let memory = std::mem::take(&mut decision.memory);
        if memory != self.memory {
            self.memory = memory;
            if let Err(error) = state::keep(&self.session.world.root, &self.memory) {
                self.world.seen.oddities.push(error.to_string());
            }
        }
        for effect in &decision.effects {
            self.perform(effect, work);
        }
        if let Some(post) = &mut self.post {
            let known = (&self.settings, &self.memory, &self.world.guard);
            post.keep_armed(&self.session.world.root, known);
        }
        decision
    }

    fn perform(&mut self, effect: &Effect, work: &mut Work) {
        let global = &self.global;
        let flush = |disk: &Text| probe::in_child(global, disk);
        if work.begin(&self.session.world.root, effect, &flush) {
            return;
        }
        let outcome = match &effect.deed {
            Deed::Announce(what) => self.voice.say(&mut self.session.world, effect.id, what),
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

    fn wait(&self, work: &Work, wake_ms: u64, alive: &Alive) -> bool {
        let now_ms = clock::boot_ms();
        let mut patience = Duration::from_millis(wake_ms.saturating_sub(now_ms));
        patience = patience.min(alive.patience());
        if let Some(deadline) = work.deadline() {
            patience = patience.min(deadline.saturating_duration_since(Instant::now()));
        }
        if work.has_ended() {
            patience = Duration::ZERO;
        }
        let places = &self.session.world;
        self.sources.wait(&places.log, places.xenstore.as_ref(), work.files(), patience)
    }

    /// Ends of effects first: what they changed is looked at after that.
    fn take(&mut self, work: &mut Work, has_mounts: bool) {
        self.world.ended.extend(work.take_ended());
        self.note_failures();
        let came = self.sources.take();
        let mut news = News { mounts: has_mounts || !self.world.ended.is_empty(), ..came };
        if news.configuration {
            self.reload();
            news.world = true;
        }
        self.world.is_stopping |= news.end;
        let (places, events) = (&mut self.session.world, self.sources.errors.as_mut());
        look::refresh(Eyes { places, events, memory: &self.memory }, &mut self.world, news);
        self.state.hanging = work.hanging();
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

    /// A wrong configuration changes nothing.
    fn reload(&mut self) {
        notify::reloading();
        let read = configuration::load(&self.session.world.root, self.global.config.as_deref());
        match read {
            Ok(read) => {
                let words = KernelWords::parse(&self.world.seen.command_line);
                self.settings = read.settings.effective(&words);
                announce::note(wording::RELOADED);
            }
            Err(problems) => {
                crate::terminal::say(&format!("xvdguard: error: {problems}"));
                announce::note(wording::OLD_SETTINGS);
            }
        }
        notify::ready(&self.state.sentence);
    }

    /// The service manager, `status` and whoever logs in, where something is new.
    fn tell(&mut self, is_ready: &mut bool) {
        let root = &self.session.world.root;
        let now_ms = self.world.seen.boot_ms;
        let disks = judge_all(&self.world.seen, &self.world.reports, None);
        let mut state = self.state.clone();
        state.sentence = wording::sentence(&disks, &self.memory);
        state.take(&self.memory, now_ms);
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
        while work.is_busy() && Instant::now() < until {
            let left = until.saturating_duration_since(Instant::now());
            self.sources.wait(&self.session.world.log, None, work.files(), left.min(LAST / 10));
            self.world.ended.extend(work.take_ended());
        }
        // Nothing is begun any more: what was ordered is known to the next daemon.
        self.world.running = work.running();
        let decision = decide(&self.settings, self.memory.clone(), &self.world);
        let _ = state::keep(&self.session.world.root, &decision.memory);
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
