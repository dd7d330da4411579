//! An incident: how it begins, how it ends, and what is said of it. Exactly one alert where a
//! person is needed, none where nobody is.

use alloc::string::String;

use super::effects::Level;
use super::memory::{State, VolumeMemory, Why};
use super::turn::Turn;
use super::volumes::enter;
use crate::verdict::evidence::Evidence;
use crate::wording;

/// Pieces of evidence that are kept of one incident: the first tell most.
const EVIDENCE: usize = 8;

/// How long an incident may wait before a person is told that it does.
pub(crate) const PATIENCE_MS: u64 = 1_800_000;

impl VolumeMemory {
    /// Keeps a piece of evidence, once: the first of an incident, and the last, which is why it
    /// stands where it does.
    pub(crate) fn note(&mut self, evidence: Evidence) {
        let is_known = self
            .evidence
            .iter()
            .any(|known| known.source == evidence.source && known.text == evidence.text);
        if !is_known {
            self.evidence.truncate(EVIDENCE - 1);
            self.evidence.push(evidence);
        }
    }

    /// Something speaks against it.
    pub(crate) fn suspect(&mut self, evidence: Evidence) {
        self.is_suspect = true;
        self.note(evidence);
    }
}

/// The volume is dead.
pub(crate) fn begin(turn: &mut Turn<'_>, volume: &mut VolumeMemory, evidence: Evidence) {
    volume.note(evidence);
    volume.is_suspect = false;
    volume.incident_ms.get_or_insert(turn.now_ms);
    enter(turn, volume, State::Aborted);
    let text = wording::recovery::aborted(volume);
    turn.say(Level::Notice, Some(&volume.target.mount_point), text);
}

/// The volume is healthy. `what` is said where it was not; a volume that only erred is healthy
/// without a word.
pub(crate) fn close(turn: &mut Turn<'_>, volume: &mut VolumeMemory, what: Option<String>) {
    if volume.state == State::Healthy {
        return;
    }
    let was_stalled = volume.state == State::Stalled;
    let was_incident = volume.incident_ms.is_some();
    enter(turn, volume, State::Healthy);
    volume.incident_ms = None;
    volume.is_told = false;
    volume.is_suspect = false;
    volume.failing = None;
    volume.stopped.clear();
    if !volume.evidence.is_empty() || was_stalled || was_incident {
        let text = what.unwrap_or_else(|| wording::recovery::healthy(volume));
        turn.say(Level::Notice, Some(&volume.target.mount_point), text);
    }
    volume.evidence.clear();
}

/// The volume is left to a person, who is told once.
pub(crate) fn give_up(turn: &mut Turn<'_>, volume: &mut VolumeMemory, why: Why) {
    volume.incident_ms.get_or_insert(turn.now_ms);
    enter(turn, volume, State::GivenUp(why));
    let text = wording::recovery::given_up(volume, why);
    tell(turn, volume, text);
}

/// A person has seen to a volume that was given up: what comes now is a new incident, of which
/// nobody was told.
pub(crate) fn reopen(turn: &mut Turn<'_>, volume: &mut VolumeMemory) {
    volume.incident_ms = volume.incident_ms.map(|_| turn.now_ms);
    volume.evidence.clear();
    volume.is_told = false;
    volume.is_suspect = true;
    enter(turn, volume, State::Erring);
}

/// Tells a person; what follows in the same incident is only noted.
pub(crate) fn tell(turn: &mut Turn<'_>, volume: &mut VolumeMemory, text: String) {
    let level = if volume.is_told { Level::Notice } else { Level::Alert };
    volume.is_told = true;
    turn.say(level, Some(&volume.target.mount_point), text);
}

/// Tells a person of what has waited for long, whatever it waits for: an incident, or a suspicion
/// that no write could clear up, as where the disk never comes back.
pub(crate) fn lose_patience(turn: &mut Turn<'_>, volume: &mut VolumeMemory) {
    let is_suspected = volume.state == State::Erring && volume.is_suspect;
    let suspected_ms = is_suspected.then_some(volume.since_ms);
    let Some(since_ms) = volume.incident_ms.or(suspected_ms) else { return };
    if volume.is_told || matches!(volume.state, State::Healthy | State::GivenUp(_)) {
        return;
    }
    if turn.now_ms >= since_ms + PATIENCE_MS {
        let text = wording::recovery::waits_long(volume, turn.is_held);
        tell(turn, volume, text);
    } else {
        turn.wake(since_ms + PATIENCE_MS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::settings::Settings;
    use crate::recovery::world::World;
    use crate::verdict::evidence::Source;

    /// Who is told at this time of an incident that began at one second, and when it is looked at
    /// next.
    fn patience_at(now_ms: u64, mut volume: VolumeMemory) -> (usize, u64) {
        volume.incident_ms = Some(1_000);
        told_at(now_ms, volume)
    }

    fn told_at(now_ms: u64, mut volume: VolumeMemory) -> (usize, u64) {
        let (settings, mut world) = (Settings::default(), World::default());
        world.seen.boot_ms = now_ms;
        let mut turn = Turn::sample(&settings, &world);
        lose_patience(&mut turn, &mut volume);
        (turn.effects.len(), turn.wake_ms)
    }

    #[test]
    fn a_suspicion_that_nothing_clears_up_is_told_as_well_and_errors_alone_are_not() {
        let erring = |is_suspect| VolumeMemory {
            state: State::Erring,
            since_ms: 5_000,
            is_suspect,
            ..VolumeMemory::default()
        };
        let end_ms = 5_000 + 1_800_000;
        assert_eq!(told_at(end_ms - 60_000, erring(true)), (0, end_ms));
        assert_eq!(told_at(end_ms, erring(true)).0, 1);
        assert_eq!(told_at(end_ms, erring(false)), (0, u64::MAX));
    }

    #[test]
    fn a_person_is_told_once_of_what_has_waited_for_half_an_hour_and_not_before() {
        let aborted = || VolumeMemory { state: State::Aborted, ..VolumeMemory::default() };
        let end_ms = 1_000 + 1_800_000;
        assert_eq!(patience_at(end_ms - 60_000, aborted()), (0, end_ms));
        assert_eq!(patience_at(end_ms, aborted()).0, 1);
        let told = VolumeMemory { is_told: true, ..aborted() };
        assert_eq!(patience_at(end_ms, told), (0, u64::MAX));
        assert_eq!(patience_at(end_ms, VolumeMemory::default()), (0, u64::MAX), "it is healthy");
    }

    #[test]
    fn the_first_evidence_is_kept_and_the_last() {
        let mut volume = VolumeMemory::default();
        for number in 0..100 {
            for _ in 0..2 {
                volume.note(Evidence::new(Source::Action, alloc::format!("{number}"), 0));
            }
        }
        let texts: alloc::vec::Vec<&str> =
            volume.evidence.iter().map(|one| one.text.as_str()).collect();
        assert_eq!((texts.len(), texts[0], texts[EVIDENCE - 1]), (EVIDENCE, "0", "99"));
        assert_eq!(texts[EVIDENCE - 2], alloc::format!("{}", EVIDENCE - 2));
    }
}
