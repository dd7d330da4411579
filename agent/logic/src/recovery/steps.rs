//! The recovery job: one step after the other, each begun only when the one before is done.
//!
//! A step that fails ends the job: what can be put back is put back, the rest is a person's.

use alloc::vec::Vec;

use super::around::Around;
use super::disks::{Names, answer_now, are_settled};
use super::effects::{Deed, Failure, FailureKind, Outcome, Users};
use super::health::dead_by_options;
use super::incident::{close, give_up, tell};
use super::memory::{Job, Memory, State, Step, VolumeMemory, Why};
use super::reboot;
use super::role::{Repair, Role, repair, role};
use super::turn::{Progress, Turn, ms};
use super::volumes::{Sight, enter, now};
use super::watch::{READ_MS, probe};
use crate::text::Text;
use crate::verdict::evidence::{Evidence, Source};
use crate::wording;

/// How long systemd may take to answer who uses a volume.
const LIST_MS: u64 = 30_000;
/// Longer than `stop_within`, at whose end systemd kills by itself.
const STOP_MARGIN_MS: u64 = 15_000;
/// umount(2) of a dead file system returns at once; of a living one it writes back.
const UMOUNT_MS: u64 = 120_000;
/// A replay of the largest journal at the slowest rate takes minutes.
const MOUNT_MS: u64 = 600_000;
/// DefaultTimeoutStartSec= of systemd-system.conf(5) is 90 s for each unit.
const START_MS: u64 = 300_000;

/// What a step works with.
pub(crate) struct Place<'a> {
    pub around: &'a Around<'a>,
    pub sight: Option<Sight<'a>>,
}

/// One step of a volume that is being brought back.
pub(crate) fn advance(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    place: &Place<'_>,
    step: Step,
) {
    let is_leftover = |job: &Job| !is_of(&job.effect.deed, step);
    if volume.job.as_ref().is_some_and(is_leftover) {
        turn.let_end(&mut volume.job);
    }
    // What was lost with a daemon that was killed is ordered again, but not blindly.
    let readiness = readiness(turn, volume, place, step);
    if turn.is_lost(volume.job.as_ref()) && readiness != Readiness::Go {
        if readiness == Readiness::Back {
            volume.job = None;
            turn_back(turn, volume);
        }
        return;
    }
    match turn.follow(&mut volume.job) {
        Progress::Running => {}
        // Nothing was stopped yet: it may still end by itself.
        Progress::Hung if step < Step::Stop => {}
        Progress::Hung => give_up(turn, volume, Why::Hung),
        Progress::Ended(_, outcome) => end(turn, volume, place, step, outcome),
        Progress::Idle => match readiness {
            Readiness::Go => order(turn, volume, place, step),
            Readiness::Wait => {}
            Readiness::Back => turn_back(turn, volume),
        },
    }
}

/// Whether an effect belongs to the step, and is no leftover of another.
fn is_of(deed: &Deed, step: Step) -> bool {
    match deed {
        Deed::ProbeWrite(_) => matches!(step, Step::Confirm | Step::Probe),
        Deed::VerifySameDisk(..) => step == Step::Verify,
        Deed::ListUsers(_) => step == Step::List,
        Deed::StopUsers(..) => step == Step::Stop,
        Deed::Umount(_) => step == Step::Umount,
        Deed::CheckFree(_) => step == Step::Free,
        Deed::Fsck(..) => step == Step::Fsck,
        Deed::Mount(..) => step == Step::Mount,
        Deed::StartUsers(..) => matches!(step, Step::Start | Step::PutBack),
        _ => false,
    }
}

/// Whether a step may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    Go,
    /// Not yet.
    Wait,
    /// Not now, and nothing was taken from anybody yet.
    Back,
}

/// What stopped users goes on to its end, hold or not: halfway is worse than either end.
fn readiness(
    turn: &mut Turn<'_>,
    volume: &VolumeMemory,
    place: &Place<'_>,
    step: Step,
) -> Readiness {
    let (around, is_early) = (place.around, is_early(volume, step));
    if is_early && (turn.is_held || turn.world.is_stopping || around.is_rebooting) {
        return Readiness::Back;
    }
    let starts = matches!(step, Step::Start | Step::PutBack);
    let names = Names::recovery(turn, &volume.disks, &around.root_disks);
    // What is probed last may have been mounted by a person, and live.
    let is_settled = match step {
        Step::Probe => answer_now(turn, around.disks, &names),
        _ => starts || are_settled(turn, around.disks, &names),
    };
    match is_settled {
        true => Readiness::Go,
        false if is_early => Readiness::Back,
        false => Readiness::Wait,
    }
}

/// Whether nothing was taken from anybody yet.
fn is_early(volume: &VolumeMemory, step: Step) -> bool {
    let is_first = step == Step::Stop || (step == Step::Umount && volume.stopped.is_empty());
    step < Step::Stop || (is_first && volume.job.is_none())
}

impl Memory {
    /// Volumes that a recovery has taken from somebody: a daemon that ends now would keep them.
    pub fn amid_recovery(&self) -> impl Iterator<Item = &VolumeMemory> {
        self.volumes.iter().filter(|volume| match volume.state {
            State::Recovering(step) => !is_early(volume, step),
            _ => false,
        })
    }
}

/// Waits again, as if nothing had been begun: nothing was.
fn turn_back(turn: &mut Turn<'_>, volume: &mut VolumeMemory) {
    if let State::Recovering(Step::Stop | Step::Umount) = volume.state {
        volume.attempts.pop();
        volume.stopped.clear();
    }
    enter(turn, volume, State::Aborted);
}

fn order(turn: &mut Turn<'_>, volume: &mut VolumeMemory, place: &Place<'_>, step: Step) {
    let target = volume.target.clone();
    let stop_ms = ms(turn.settings.recovery.stop_within.value) + STOP_MARGIN_MS;
    let (deed, deadline_ms) = match step {
        Step::Confirm | Step::Probe => {
            if let Some(sight) = &place.sight {
                probe(turn, volume, sight);
            }
            return;
        }
        Step::List if has_more_mounts(turn, volume) => {
            return give_up(turn, volume, Why::ManyMounts);
        }
        Step::List => (Deed::ListUsers(target), LIST_MS),
        Step::Stop => (Deed::StopUsers(target, volume.stopped.clone()), stop_ms),
        Step::Umount => (Deed::Umount(target), UMOUNT_MS),
        Step::Free => (Deed::CheckFree(target), READ_MS),
        Step::Start | Step::PutBack => (Deed::StartUsers(target, volume.stopped.clone()), START_MS),
        Step::Verify | Step::Fsck | Step::Mount => {
            let Some(identity) = volume.identity.clone() else {
                return give_up(turn, volume, Why::Unverified);
            };
            match step {
                Step::Verify => (Deed::VerifySameDisk(target, identity), READ_MS),
                // Never killed: a check that is cut off leaves less than it found.
                Step::Fsck => {
                    volume.job = Some(turn.order(Deed::Fsck(target, identity), None));
                    return;
                }
                _ => (Deed::Mount(target, identity), MOUNT_MS),
            }
        }
    };
    if step == Step::Mount {
        volume.known_good.sequence = turn.world.signs.next_sequence;
    }
    volume.job = Some(turn.order(deed, Some(deadline_ms)));
}

/// Whether its super block is mounted elsewhere too, or something is mounted below it.
fn has_more_mounts(turn: &Turn<'_>, volume: &VolumeMemory) -> bool {
    let point = volume.target.mount_point.as_bytes();
    let is_other = |mount: &&crate::mountinfo::Mount| {
        let rest = mount.mount_point.as_bytes().strip_prefix(point);
        let is_below = rest.is_some_and(|rest| rest.first() == Some(&b'/'));
        mount.id != volume.target.mount_id && (is_below || mount.device == volume.target.device)
    };
    turn.world.seen.mounts.iter().any(|mount| is_other(&mount))
}

/// Goes on from the end of a step.
fn end(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    place: &Place<'_>,
    step: Step,
    outcome: Outcome,
) {
    if let Outcome::Failed(failure) = &outcome {
        volume.note(Evidence::new(Source::Action, failure.text.clone(), turn.now_ms));
    }
    match (step, outcome) {
        (Step::Confirm, outcome) => confirmed(turn, volume, place, outcome),
        (Step::Verify, Outcome::Done | Outcome::AlreadySo) => verified(turn, volume, place),
        (Step::List, Outcome::Users(users)) => listed(turn, volume, users),
        (Step::Stop, Outcome::Done | Outcome::AlreadySo) => go(turn, volume, Step::Umount),
        (Step::Umount, Outcome::Done | Outcome::AlreadySo) => go(turn, volume, Step::Free),
        (Step::Free, Outcome::Done | Outcome::AlreadySo) => {
            let is_checked = repair(&volume.target.fstype) != Some(Repair::Mount);
            go(turn, volume, if is_checked { Step::Fsck } else { Step::Mount });
        }
        (Step::Fsck, Outcome::Done | Outcome::AlreadySo) => go(turn, volume, Step::Mount),
        (Step::Mount, Outcome::Done | Outcome::AlreadySo) => go(turn, volume, Step::Probe),
        (Step::Probe, Outcome::Done | Outcome::AlreadySo) => revived(turn, volume, place),
        (Step::Start, outcome) => started(turn, volume, outcome),
        (Step::PutBack, _) => {
            let why = volume.failing.take().unwrap_or(Why::Busy);
            give_up(turn, volume, why);
        }
        (step, outcome) => failed(turn, volume, place, (step, outcome)),
    }
}

fn go(turn: &mut Turn<'_>, volume: &mut VolumeMemory, step: Step) {
    enter(turn, volume, State::Recovering(step));
}

fn confirmed(turn: &mut Turn<'_>, volume: &mut VolumeMemory, place: &Place<'_>, outcome: Outcome) {
    match outcome {
        Outcome::Failed(failure) if failure.kind == FailureKind::ReadOnly => {
            go(turn, volume, Step::Verify);
        }
        Outcome::Done | Outcome::AlreadySo => {
            let mount = place.sight.as_ref().map(|sight| sight.mount);
            if mount.is_some_and(|mount| dead_by_options(turn, volume, mount).is_some()) {
                return give_up(turn, volume, Why::Contradiction);
            }
            volume.known_good = volume.checkpoint;
            close(turn, volume, None);
        }
        _ => enter(turn, volume, State::Aborted),
    }
}

fn verified(turn: &mut Turn<'_>, volume: &mut VolumeMemory, place: &Place<'_>) {
    match role(turn, volume, place.sight.as_ref().map(|sight| sight.seen)) {
        Role::Recover => go(turn, volume, Step::List),
        Role::Reboot => reboot::arm(turn, volume, place.around),
        Role::Report(why) => give_up(turn, volume, why),
        Role::NotOurs => enter(turn, volume, State::Aborted),
    }
}

fn listed(turn: &mut Turn<'_>, volume: &mut VolumeMemory, users: Users) {
    let never = &turn.settings.recovery.never_stop.value;
    let refused: Vec<&Text> =
        users.units.iter().filter(|unit| never.contains(unit) || !is_stoppable(unit)).collect();
    if !users.others.is_empty() || !refused.is_empty() {
        let text = wording::recovery::users(&users.others, &refused);
        volume.note(Evidence::new(Source::Action, text, turn.now_ms));
        return give_up(turn, volume, Why::Users);
    }
    volume.attempts.push(turn.now_ms);
    let step = if users.units.is_empty() { Step::Umount } else { Step::Stop };
    volume.stopped = users.units;
    go(turn, volume, step);
}

/// Never a target, a slice or a mount.
fn is_stoppable(unit: &Text) -> bool {
    let ends = |end: &&str| unit.as_bytes().ends_with(end.as_bytes());
    [".service", ".socket", ".timer", ".path"].iter().any(ends)
}

fn revived(turn: &mut Turn<'_>, volume: &mut VolumeMemory, place: &Place<'_>) {
    volume.known_good = volume.checkpoint;
    if let Some(sight) = &place.sight {
        volume.known_good = super::memory::Checkpoint {
            sequence: volume.checkpoint.sequence,
            ..now(turn, sight.seen)
        };
    }
    if volume.stopped.is_empty() {
        close(turn, volume, Some(wording::recovery::recovered(volume)));
    } else {
        go(turn, volume, Step::Start);
    }
}

fn started(turn: &mut Turn<'_>, volume: &mut VolumeMemory, outcome: Outcome) {
    let text = wording::recovery::recovered(volume);
    if matches!(outcome, Outcome::Failed(_) | Outcome::TimedOut) {
        let text = wording::recovery::not_started(volume);
        tell(turn, volume, text);
    }
    close(turn, volume, Some(text));
}

/// A step that did not come to its end.
fn failed(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    place: &Place<'_>,
    what: (Step, Outcome),
) {
    let kind = match &what.1 {
        Outcome::Failed(Failure { kind, .. }) => Some(*kind),
        _ => None,
    };
    let is_storage = what.1.is_storage();
    match what.0 {
        _ if kind == Some(FailureKind::Different) => give_up(turn, volume, Why::Different),
        Step::Verify if is_storage || kind.is_none() => enter(turn, volume, State::Aborted),
        Step::Verify => give_up(turn, volume, Why::Unverified),
        Step::List if kind.is_none() => enter(turn, volume, State::Aborted),
        Step::List => give_up(turn, volume, Why::Users),
        Step::Stop => put_back(turn, volume, Why::NotStopped),
        Step::Umount if place.sight.is_none() => go(turn, volume, Step::Free),
        Step::Umount => put_back(turn, volume, Why::Busy),
        Step::Free | Step::Fsck | Step::Mount | Step::Probe
            if is_storage || (what.0 == Step::Probe && kind.is_none()) =>
        {
            again(turn, volume, what.0);
        }
        Step::Free => give_up(turn, volume, Why::Busy),
        Step::Fsck if kind == Some(FailureKind::Busy) => give_up(turn, volume, Why::Busy),
        Step::Fsck => give_up(turn, volume, Why::Fsck),
        Step::Mount => give_up(turn, volume, Why::NotMounted),
        _ => give_up(turn, volume, Why::StillDead),
    }
}

/// The storage failed once more: from the device on, as often as the policy allows.
fn again(turn: &mut Turn<'_>, volume: &mut VolumeMemory, step: Step) {
    if !volume.may_try(turn) {
        return give_up(turn, volume, Why::TooOften);
    }
    volume.attempts.push(turn.now_ms);
    go(turn, volume, if step == Step::Probe { Step::Probe } else { Step::Free });
}

/// It is still mounted as it was: its users are started again, since a dead file system that can
/// be read is worth more to them than none.
fn put_back(turn: &mut Turn<'_>, volume: &mut VolumeMemory, why: Why) {
    if volume.stopped.is_empty() {
        return give_up(turn, volume, why);
    }
    volume.failing = Some(why);
    go(turn, volume, Step::PutBack);
}

#[cfg(test)]
mod tests;
