//! A volume that is not known to be dead: healthy, stalled or erring.
//!
//! Looks, and lets it show that it takes writes where something speaks against it. Never writes
//! to it while its storage gives errors: that could kill a journal that would have survived.

use super::around::Around;
use super::disks::{Names, answer_now};
use super::effects::{Deed, FailureKind, Level, Outcome};
use super::health::{self, Finding};
use super::incident::{begin, close};
use super::memory::{State, VolumeMemory};
use super::role::{Role, role};
use super::turn::{Progress, Turn, ms};
use super::volumes::{Sight, enter, now};
use crate::mountinfo::Mount;
use crate::policy::word::WriteProbe;
use crate::verdict::evidence::{Evidence, Source};
use crate::wording;

/// How long a write probe may take.
pub(crate) const PROBE_MS: u64 = 30_000;

/// How long a super block may take to be read.
pub(crate) const READ_MS: u64 = 10_000;

/// How long a probe without an answer is not repeated.
const AGAIN_MS: u64 = 60_000;

/// One step of a volume that is watched.
pub(crate) fn watch(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    around: &Around<'_>,
    sight: &Sight<'_>,
) {
    if let Some(evidence) = answer(turn, volume, sight) {
        return begin(turn, volume, evidence);
    }
    let is_by_intention = is_made_read_only(sight.mount);
    if is_by_intention || role(turn, volume, Some(sight.seen)) == Role::NotOurs {
        volume.is_suspect = false;
        return close(turn, volume, None);
    }
    match health::look(turn, volume, sight.seen, sight.mount) {
        Finding::Dead(evidence) => return begin(turn, volume, evidence),
        Finding::Suspicion(evidence) => volume.suspect(evidence),
        Finding::Nothing => {
            let missed = health::may_have_missed(turn, volume, around.disks);
            volume.is_suspect |= missed;
        }
    }
    judge(turn, volume, around, sight);
}

/// Whether somebody made the mount itself read-only; what the kernel forces shows in the super
/// block's options alone.
fn is_made_read_only(mount: &Mount) -> bool {
    mount.has_option("ro")
}

fn judge(turn: &mut Turn<'_>, volume: &mut VolumeMemory, around: &Around<'_>, sight: &Sight<'_>) {
    if around.is_stalled(volume) {
        if volume.state != State::Stalled {
            enter(turn, volume, State::Stalled);
            let text = wording::recovery::stalled(volume);
            turn.say(Level::Notice, Some(&volume.target.mount_point), text);
        }
        return;
    }
    if volume.is_suspect {
        enter(turn, volume, State::Erring);
        return clear_up(turn, volume, around, sight);
    }
    let settle_ms = ms(turn.settings.recovery.settle.value);
    match around.failed_ms(volume).filter(|at_ms| at_ms + settle_ms > turn.now_ms) {
        Some(at_ms) => {
            enter(turn, volume, State::Erring);
            turn.wake(at_ms + settle_ms);
        }
        None => {
            close(turn, volume, None);
            rest(turn, volume, around, sight);
        }
    }
}

/// A healthy volume: its super block is read once, and it is probed where the policy wants that.
fn rest(turn: &mut Turn<'_>, volume: &mut VolumeMemory, around: &Around<'_>, sight: &Sight<'_>) {
    if volume.job.is_some() {
        return;
    }
    let now_ms = turn.now_ms;
    let is_due = |since_ms: Option<u64>, wait_ms: u64| {
        since_ms.is_none_or(|since_ms| since_ms + wait_ms <= now_ms)
    };
    let tick_ms = ms(turn.settings.daemon.tick.value);
    if volume.identity.is_none() && around.may_read() && is_due(volume.read_ms, AGAIN_MS) {
        volume.read_ms = Some(turn.now_ms);
        volume.job = Some(turn.order(Deed::ReadIdentity(volume.target.clone()), Some(READ_MS)));
    }
    let is_every = turn.settings.daemon.write_probe.value == WriteProbe::EveryTick;
    if volume.job.is_some() || !is_every || !is_due(volume.probed_ms, tick_ms) {
        return;
    }
    volume.is_due = true;
    let names = Names::recovery(turn, &volume.disks, &[]);
    if answer_now(turn, around.disks, &names) {
        volume.is_due = false;
        probe(turn, volume, sight);
    }
}

/// A write would tell; it waits until the storage has been quiet for `settle`.
fn clear_up(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    around: &Around<'_>,
    sight: &Sight<'_>,
) {
    let names = Names::recovery(turn, &volume.disks, &[]);
    if volume.job.is_some() || !answer_now(turn, around.disks, &names) {
        return;
    }
    if turn.settings.daemon.write_probe.value == WriteProbe::Never {
        volume.known_good = now(turn, sight.seen);
        volume.is_suspect = false;
        return turn.wake(turn.now_ms);
    }
    match volume.probed_ms.map(|at_ms| at_ms + AGAIN_MS).filter(|at_ms| *at_ms > turn.now_ms) {
        Some(at_ms) => turn.wake(at_ms),
        None => probe(turn, volume, sight),
    }
}

/// Orders a write, and keeps what is known now: what comes later is not answered by it.
pub(crate) fn probe(turn: &mut Turn<'_>, volume: &mut VolumeMemory, sight: &Sight<'_>) {
    volume.checkpoint = now(turn, sight.seen);
    volume.probed_ms = Some(turn.now_ms);
    volume.job = Some(turn.order(Deed::ProbeWrite(volume.target.clone()), Some(PROBE_MS)));
}

/// Takes what came of the effect under way; evidence, where it shows that the volume is dead.
fn answer(turn: &mut Turn<'_>, volume: &mut VolumeMemory, sight: &Sight<'_>) -> Option<Evidence> {
    if turn.is_lost(volume.job.as_ref()) {
        // Not again before somebody has looked whether it is still wanted, and does no harm.
        (volume.job, volume.read_ms, volume.probed_ms) = (None, None, None);
    }
    match turn.follow(&mut volume.job) {
        Progress::Ended(Deed::ReadIdentity(target), Outcome::Identity(identity)) => {
            let is_this = target.mount_id == sight.mount.id;
            volume.identity = Some(identity).filter(|_| is_this);
        }
        Progress::Ended(Deed::ProbeWrite(target), outcome) if target.mount_id == sight.mount.id => {
            return probed(turn, volume, outcome);
        }
        _ => {}
    }
    None
}

fn probed(turn: &Turn<'_>, volume: &mut VolumeMemory, outcome: Outcome) -> Option<Evidence> {
    match outcome {
        Outcome::Done | Outcome::AlreadySo => {
            volume.known_good = volume.checkpoint;
            volume.is_suspect = false;
            volume.probed_ms = Some(turn.now_ms);
            None
        }
        Outcome::Failed(failure) if failure.kind == FailureKind::ReadOnly => {
            Some(Evidence::new(Source::Probe, failure.text, turn.now_ms))
        }
        _ => {
            volume.is_suspect = true;
            None
        }
    }
}

#[cfg(test)]
mod tests;
