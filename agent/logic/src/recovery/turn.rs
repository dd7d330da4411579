//! One turn of the loop: what it may look at, and where it puts what it decides.
//!
//! Orders effects and follows them to their ends. Never decides anything about a volume itself.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::effects::{Announcement, Deed, Effect, EffectId, Failure, FailureKind, Level, Outcome};
use super::memory::{Job, VolumeMemory};
use super::transitions::Move;
use super::volumes::{Sight, Sights};
use super::world::World;
use crate::order;
use crate::policy::settings::Settings;
use crate::text::Text;
use crate::wording;

/// How long after its deadline a child that was killed may take to be gone.
const GRACE_MS: u64 = 5_000;

/// How often an effect that nobody knows of is ordered again: the daemon was killed so often.
const LOST: u32 = 3;

/// No turn follows another any sooner, unless something happens: a mistake must not become a
/// busy loop.
const SOON_MS: u64 = 50;

/// Announcements that are followed at a time; more than that nobody reads.
const SAID: usize = 64;

/// What a turn has to work with.
pub(crate) struct Turn<'a> {
    pub settings: &'a Settings,
    pub world: &'a World,
    /// Every watched volume that is mounted.
    pub sights: Sights<'a>,
    /// Names of the disks that are there.
    pub there: BTreeSet<&'a Text>,
    /// Mount points that the system cannot be without.
    pub core: BTreeSet<Text>,
    /// Milliseconds since boot.
    pub now_ms: u64,
    /// Whether automatic action is on hold.
    pub is_held: bool,
    /// How long a reboot of this boot is put off.
    pub jitter_ms: u64,
    pub next_effect: EffectId,
    pub effects: Vec<Effect>,
    pub said: Vec<Job>,
    pub moves: Vec<Move>,
    pub wake_ms: u64,
}

/// Where an effect stands.
#[expect(clippy::large_enum_variant, reason = "made and taken apart on the spot")]
pub(crate) enum Progress {
    /// There is none.
    Idle,
    /// It is under way.
    Running,
    /// It is under way, and should have ended long ago: its child cannot be killed.
    Hung,
    /// It ended.
    Ended(Deed, Outcome),
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What hundreds of volumes ask for in each turn.
pub(crate) fn there(world: &World) -> BTreeSet<&Text> {
    order::gather(world.disks.iter().map(|disk| &disk.name))
}

impl<'a> Turn<'a> {
    /// A turn of a test, in which nothing is seen but this world.
    #[cfg(test)]
    pub fn sample(settings: &'a Settings, world: &'a World) -> Turn<'a> {
        Turn {
            settings,
            world,
            sights: Sights::new(),
            there: there(world),
            core: BTreeSet::new(),
            now_ms: world.seen.boot_ms,
            is_held: false,
            jitter_ms: 0,
            next_effect: 1,
            effects: Vec::new(),
            said: Vec::new(),
            moves: Vec::new(),
            wake_ms: u64::MAX,
        }
    }

    /// What is seen of that volume, where it is mounted.
    pub fn sight(&self, volume: &VolumeMemory) -> Option<Sight<'a>> {
        self.sights.get(&volume.target.device).copied()
    }

    /// Orders something; the deadline is in milliseconds.
    pub fn order(&mut self, deed: Deed, deadline_ms: Option<u64>) -> Job {
        let effect = Effect { id: self.next_effect, deadline_ms, deed };
        self.next_effect += 1;
        self.effects.push(effect.clone());
        if let Some(deadline_ms) = deadline_ms {
            self.wake(self.now_ms.saturating_add(deadline_ms + GRACE_MS + 1));
        }
        Job { effect: effect.into(), ordered_ms: self.now_ms, lost: 0 }
    }

    /// Says something; it is followed until it was said.
    pub fn say(&mut self, level: Level, mount_point: Option<&Text>, text: String) {
        let announcement = Announcement { level, mount_point: mount_point.cloned(), text };
        let job = self.order(Deed::Announce(announcement), Some(10_000));
        if self.said.len() < SAID {
            self.said.push(job);
        }
    }

    /// Looks again no later than then.
    pub fn wake(&mut self, at_ms: u64) {
        self.wake_ms = self.wake_ms.min(at_ms.max(self.now_ms + SOON_MS));
    }

    /// Follows an effect. What ended leaves its place; what nobody knows of is ordered again.
    pub fn follow(&mut self, place: &mut Option<Job>) -> Progress {
        let Some(job) = place else { return Progress::Idle };
        let id = job.effect.id;
        if let Some(ended) = self.world.ended.iter().find(|ended| ended.id == id) {
            let deed = job.effect.deed.clone();
            *place = None;
            return Progress::Ended(deed, ended.outcome.clone());
        }
        if job.ordered_ms == self.now_ms {
            return Progress::Running;
        }
        let end_ms = job.effect.deadline_ms.map(|ms| job.ordered_ms.saturating_add(ms + GRACE_MS));
        if self.world.running.contains(&id) {
            let is_late = end_ms.is_some_and(|end_ms| self.now_ms > end_ms);
            if let Some(end_ms) = end_ms.filter(|_| !is_late) {
                self.wake(end_ms + 1);
            }
            return if is_late { Progress::Hung } else { Progress::Running };
        }
        self.again(place)
    }

    /// Waits for an effect that nobody needs any more; what nobody knows of is never ordered again.
    pub fn let_end(&mut self, place: &mut Option<Job>) {
        if self.is_lost(place.as_ref()) {
            *place = None;
        }
        self.follow(place);
    }

    /// Whether an effect was ordered of which nobody knows.
    pub fn is_lost(&self, job: Option<&Job>) -> bool {
        let Some(job) = job else { return false };
        let id = job.effect.id;
        let is_known =
            self.world.running.contains(&id) || self.world.ended.iter().any(|ended| ended.id == id);
        // Nobody can know of what is ordered in this very turn.
        !is_known && job.ordered_ms < self.now_ms
    }

    fn again(&mut self, place: &mut Option<Job>) -> Progress {
        match place.take() {
            Some(mut job) if job.lost < LOST => {
                job.lost += 1;
                job.ordered_ms = self.now_ms;
                self.effects.push((*job.effect).clone());
                *place = Some(job);
                Progress::Running
            }
            Some(job) => {
                let text = wording::recovery::LOST.into();
                let failure = Failure { kind: FailureKind::Other, text };
                Progress::Ended(job.effect.deed, Outcome::Failed(failure))
            }
            None => Progress::Idle,
        }
    }

    /// Follows what was said in earlier turns.
    pub fn follow_said(&mut self, said: Vec<Job>) {
        for job in said {
            let mut place = Some(job);
            self.follow(&mut place);
            self.said.extend(place);
        }
    }
}

#[cfg(test)]
mod tests;
