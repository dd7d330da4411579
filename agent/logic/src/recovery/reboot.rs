//! The controlled reboot: armed when everything speaks for it, asked for once, when it is due.
//!
//! Never while a disk is silent, on hold, before the minimum uptime or over budget; what changes
//! while it waits takes it back.

use super::around::Around;
use super::disks::{Names, are_settled};
use super::effects::{Deed, Ladder, Level, Outcome};
use super::guard::Refusal;
use super::incident::{PATIENCE_MS, give_up, tell};
use super::memory::{Memory, State, Step, VolumeMemory, Why};
use super::role::is_root;
use super::turn::{Progress, Turn, ms};
use super::volumes::enter;
use crate::wording;

/// How long the keeper may take to answer that it has begun.
const KEEPER_MS: u64 = 30_000;

/// How long it is good to know that it is the same disk: what comes back after that might be an
/// older snapshot, and the next boot would stop there.
const COMPARED_MS: u64 = 2_000;

/// The disks that a reboot for this volume waits for. The next boot mounts them all, and stops
/// where one of them fails. Root alone is worth more than another disk that never comes back.
pub(crate) fn needs<'a>(
    turn: &Turn<'_>,
    volume: &'a VolumeMemory,
    around: &'a Around<'_>,
) -> Names<'a> {
    let settle_ms = ms(turn.settings.reboot.settle.value);
    let since_ms = volume.incident_ms.unwrap_or(turn.now_ms);
    let is_patient = !is_root(volume) || turn.now_ms < since_ms + PATIENCE_MS;
    let others = if is_patient { &around.all_disks } else { &around.root_disks };
    Names { own: &volume.disks, others, settle_ms }
}

/// The volume is dead, its disk is the same and answers: a reboot would heal it.
pub(crate) fn arm(turn: &mut Turn<'_>, volume: &mut VolumeMemory, around: &Around<'_>) {
    if let Err(refusal) = around.guard {
        return refuse(turn, volume, refusal);
    }
    let is_announced = volume.reboot_ms.is_some();
    let at_ms = turn.now_ms.saturating_add(turn.jitter_ms);
    let at_ms = *volume.reboot_ms.get_or_insert(at_ms);
    enter(turn, volume, State::RebootPending(at_ms));
    turn.wake(at_ms);
    if is_announced {
        return;
    }
    let text = wording::recovery::pending(volume, at_ms - turn.now_ms);
    turn.say(Level::Warning, Some(&volume.target.mount_point), text);
}

fn refuse(turn: &mut Turn<'_>, volume: &mut VolumeMemory, refusal: Refusal) {
    enter(turn, volume, State::GivenUp(Why::Guard));
    let text = wording::recovery::refused(volume, refusal);
    tell(turn, volume, text);
}

/// Whether the reboot that this volume waits for is due; takes it back where it must not be.
pub(crate) fn is_due(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    around: &Around<'_>,
    at_ms: u64,
) -> bool {
    if around.is_rebooting {
        return false;
    }
    if let Err(refusal) = around.guard {
        refuse(turn, volume, refusal);
        return false;
    }
    let names = needs(turn, volume, around);
    if turn.is_held || !are_settled(turn, around.disks, &names) {
        enter(turn, volume, State::Aborted);
        return false;
    }
    if turn.now_ms < at_ms {
        turn.wake(at_ms);
    }
    if turn.now_ms < at_ms || around.is_work_under_way.get() {
        return false;
    }
    if turn.now_ms > volume.since_ms + COMPARED_MS {
        enter(turn, volume, State::Recovering(Step::Verify));
        return false;
    }
    true
}

/// Hands the reboot to the keeper.
pub(crate) fn order(turn: &mut Turn<'_>, memory: &mut Memory) {
    let dead = memory.volumes.iter().filter(|volume| volume.incident_ms.is_some());
    let ladder = Ladder {
        orderly_ms: ms(turn.settings.reboot.orderly.value),
        dead: dead.map(|volume| volume.target.device).collect(),
        reason: wording::recovery::reason(&memory.volumes),
    };
    memory.reboot = Some(turn.order(Deed::Reboot(ladder), Some(KEEPER_MS)));
    memory.is_rebooting = true;
}

/// Follows the reboot that was asked for. Where the keeper could not, a person has to.
pub(crate) fn follow(turn: &mut Turn<'_>, memory: &mut Memory) {
    if turn.is_lost(memory.reboot.as_ref()) {
        return take_back(turn, memory);
    }
    let Progress::Ended(_, outcome) = turn.follow(&mut memory.reboot) else { return };
    if matches!(outcome, Outcome::Done | Outcome::AlreadySo) {
        return;
    }
    memory.is_rebooting = false;
    for volume in &mut memory.volumes {
        if matches!(volume.state, State::RebootPending(_)) {
            give_up(turn, volume, Why::NoReboot);
        }
    }
}

/// The daemon was killed, and nobody knows whether the keeper heard. If it did, it carries on
/// whatever is decided here; if not, the disks may have fallen silent since: they settle anew.
fn take_back(turn: &mut Turn<'_>, memory: &mut Memory) {
    memory.reboot = None;
    memory.is_rebooting = false;
    for volume in &mut memory.volumes {
        if matches!(volume.state, State::RebootPending(_)) {
            enter(turn, volume, State::Aborted);
        }
    }
}

#[cfg(test)]
mod tests;
