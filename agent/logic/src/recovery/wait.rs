//! A volume that is dead, until something can be done about it.
//!
//! Waits for its disks and those of root, before a reboot for those of all volumes; for a hold to
//! end, for root, for the minimum uptime. Nothing is begun while one of them is missing.

use super::around::Around;
use super::disks::{Names, are_settled};
use super::incident::give_up;
use super::memory::{State, Step, VolumeMemory, Why};
use super::reboot;
use super::role::{Role, role};
use super::turn::{Turn, ms};
use super::volumes::{Sight, enter};
use crate::policy::word::WriteProbe;

/// One step of a volume that is dead and waits.
pub(crate) fn wait(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    around: &Around<'_>,
    sight: Option<&Sight<'_>>,
) {
    let Some(sight) = sight else {
        // Whoever unmounted it sees to it: only what was begun is waited for.
        return turn.let_end(&mut volume.job);
    };
    let role = role(turn, volume, Some(sight.seen));
    match role {
        Role::NotOurs => return,
        Role::Report(why) => return give_up(turn, volume, why),
        Role::Recover | Role::Reboot => {}
    }
    volume.by_reboot = role == Role::Reboot;
    if turn.is_held || turn.world.is_stopping || around.is_rebooting {
        return;
    }
    let is_ready = match role {
        Role::Reboot => is_ready_for_reboot(turn, volume, around),
        _ => is_ready_for_recovery(turn, volume, around),
    };
    if is_ready {
        let is_probed = turn.settings.daemon.write_probe.value != WriteProbe::Never;
        let step = if is_probed { Step::Confirm } else { Step::Verify };
        enter(turn, volume, State::Recovering(step));
    }
}

fn is_ready_for_reboot(turn: &mut Turn<'_>, volume: &VolumeMemory, around: &Around<'_>) -> bool {
    let names = reboot::needs(turn, volume, around);
    let minimum_ms = ms(turn.settings.reboot.minimum_uptime.value);
    if turn.now_ms < minimum_ms {
        // The disks are asked a while before.
        let early_ms = minimum_ms.saturating_sub(2 * names.settle_ms);
        turn.wake(if turn.now_ms < early_ms { early_ms } else { minimum_ms });
        return false;
    }
    are_settled(turn, around.disks, &names)
}

/// While root is dead nothing else is begun: the reboot that heals root heals all, and a service
/// that is stopped might not start again.
fn is_ready_for_recovery(
    turn: &mut Turn<'_>,
    volume: &mut VolumeMemory,
    around: &Around<'_>,
) -> bool {
    match around.root_state {
        None | Some(State::Healthy | State::Stalled | State::Erring) => {}
        Some(State::GivenUp(_)) => {
            give_up(turn, volume, Why::RootDead);
            return false;
        }
        Some(State::Aborted | State::Recovering(_) | State::RebootPending(_)) => return false,
    }
    let names = Names::recovery(turn, &volume.disks, &around.root_disks);
    if !are_settled(turn, around.disks, &names) {
        return false;
    }
    if !volume.may_try(turn) {
        give_up(turn, volume, Why::TooOften);
        return false;
    }
    true
}

impl VolumeMemory {
    /// Whether the policy allows one more attempt; forgets those that are too old to count.
    pub(crate) fn may_try(&mut self, turn: &Turn<'_>) -> bool {
        let window_ms = ms(turn.settings.recovery.window.value);
        self.attempts.retain(|at_ms| at_ms.saturating_add(window_ms) > turn.now_ms);
        (self.attempts.len() as u64) < u64::from(turn.settings.recovery.attempts.value)
    }
}

#[cfg(test)]
mod tests;
