//! The barrier job while the guest runs: after a reconnect, and at a sign of trouble.
//!
//! Up to 6.10 a flush that fails inside a commit kills the journal, so a disk in trouble gets no
//! flush until the trouble is over. Sends nothing to a disk that does not answer, and never
//! "write back" to one whose flush failed.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::disks::{Names, are_settled};
use super::effects::{Deed, EffectId, Level, Outcome};
use super::memory::{Care, DiskMemory, Memory};
use super::turn::{Progress, Turn};
use crate::decide_boot::{is_deadly, limits};
use crate::disk::{Disk, WriteCache};
use crate::effect::{Attribute, QueueSetting};
use crate::policy::{BarrierMode, Lever};
use crate::text::Text;
use crate::vbd::advertised::Advertised;
use crate::vbd::{Vbd, XenbusState};
use crate::verdict::FlushVerdict;
use crate::verdict::judge::{Knowledge, judge};
use crate::verdict::report::earlier;
use crate::wording;

/// How long an attribute may take to be written: at once, or the queue hangs.
const SET_MS: u64 = 10_000;
/// How long a flush may take.
const FLUSH_MS: u64 = 30_000;

/// Takes care of every disk. `was_stalled`: the disks that were, before this turn.
pub(crate) fn care(turn: &mut Turn<'_>, memory: &mut Memory, was_stalled: &BTreeSet<Text>) {
    let troubled = troubled(turn, &memory.disks, was_stalled);
    for index in 0..memory.disks.len() {
        let Some(disk) = turn.world.seen.disk(&memory.disks[index].name) else { continue };
        let over = {
            let names = [disk.name.clone()];
            let names = Names::recovery(turn, &names, &[]);
            are_settled(turn, &memory.disks, &names)
        };
        let known = &mut memory.disks[index];
        follow(turn, known);
        known.advertised = advertised(turn, disk);
        if known.flush.is_some() || turn.is_held {
            continue;
        }
        match known.care {
            Care::None if troubled.contains(&disk.name) => shelter(turn, known, disk),
            Care::None => {}
            Care::Reconnected(count) => reconnected(turn, known, disk, count),
            Care::Sheltered if over => unshelter(turn, known, disk),
            Care::Sheltered => {}
            Care::ProbeDue => {
                known.care = Care::None;
                known.flush = Some(turn.order(Deed::ProbeFlush(disk.name.clone()), Some(FLUSH_MS)));
            }
        }
    }
}

impl Memory {
    /// Whether this effect sets a queue or sends a flush: what is seen of that disk is old when it
    /// has ended, and no event tells.
    pub fn cares_by(&self, id: EffectId) -> bool {
        self.disks.iter().filter_map(|disk| disk.flush.as_ref()).any(|job| job.effect.id == id)
    }
}

fn advertised(turn: &Turn<'_>, disk: &Disk) -> Option<Advertised> {
    disk.vbd.as_ref()?.advertised(turn.world.seen.kernel)
}

fn follow(turn: &mut Turn<'_>, known: &mut DiskMemory) {
    let Progress::Ended(Deed::SetQueue(setting), outcome) = turn.follow(&mut known.flush) else {
        return;
    };
    let is_set = matches!(outcome, Outcome::Done | Outcome::AlreadySo);
    if setting.attribute != Attribute::WriteCache || is_set {
        return;
    }
    // Refused or silent: what it is like is found out by the next look, not by trying again.
    if matches!(known.care, Care::Sheltered | Care::ProbeDue) {
        known.care = Care::None;
    }
    let text = wording::recovery::not_set(&setting);
    turn.say(Level::Notice, None, text);
}

/// Whether a flush that fails on this disk kills a journal, and the policy lets us prevent it.
fn is_ours(turn: &Turn<'_>, disk: &Disk) -> bool {
    let policy = &turn.settings.policy;
    policy.barrier.value == BarrierMode::Auto
        && policy.lever.value != Lever::Mount
        && is_deadly(turn.world.seen.kernel, disk)
        && disk.device.as_ref().is_some_and(|device| device.is_blkfront)
}

fn verdict(turn: &Turn<'_>, disk: &Disk) -> FlushVerdict {
    let seen = &turn.world.seen;
    let earlier = earlier(&turn.world.reports, seen.boot_id.as_ref(), disk);
    judge(disk, seen, Knowledge { earlier: &earlier, ..Knowledge::default() }).verdict
}

fn set(turn: &mut Turn<'_>, disk: &Disk, to: &str, reason: &str) -> Deed {
    let old = if to == "write back" { "write through" } else { "write back" };
    let text = wording::recovery::sets(disk, to, reason);
    turn.say(Level::Notice, None, text);
    Deed::SetQueue(QueueSetting {
        disk: disk.name.clone(),
        attribute: Attribute::WriteCache,
        old: Text::from(old),
        new: Text::from(to),
        reason: reason.into(),
    })
}

/// No flush until the trouble is over.
fn shelter(turn: &mut Turn<'_>, known: &mut DiskMemory, disk: &Disk) {
    let is_flushed = known.advertised.is_some_and(Advertised::is_on);
    let is_back = disk.write_cache() == WriteCache::Back;
    let may = is_ours(turn, disk) && is_flushed && is_back;
    if may && matches!(verdict(turn, disk), FlushVerdict::Proven | FlushVerdict::Untested) {
        let deed = set(turn, disk, "write through", wording::recovery::TROUBLE);
        known.care = Care::Sheltered;
        known.flush = Some(turn.order(deed, Some(SET_MS)));
    }
}

/// Flushes again, unless one failed meanwhile.
fn unshelter(turn: &mut Turn<'_>, known: &mut DiskMemory, disk: &Disk) {
    use FlushVerdict::{Failing, Refused};
    let has_failed = matches!(verdict(turn, disk), Refused | Failing);
    let is_on = known.advertised.is_some_and(Advertised::is_on);
    if has_failed || !is_on || disk.write_cache() != WriteCache::Through {
        known.care = Care::None;
        return;
    }
    let deed = set(turn, disk, "write back", wording::recovery::OVER);
    known.care = Care::ProbeDue;
    known.flush = Some(turn.order(deed, Some(SET_MS)));
}

/// A new backend: no flush where it has none, before the next commit; the limits again; and one
/// flush to know.
fn reconnected(turn: &mut Turn<'_>, known: &mut DiskMemory, disk: &Disk, count: u8) {
    // What the new backend offers is not known yet.
    let Some(advertised) = known.advertised else { return };
    let done = count.max(1);
    known.care = Care::Reconnected(done);
    if count == 0 {
        let is_back = disk.write_cache() == WriteCache::Back;
        if !advertised.is_on() && is_back && is_ours(turn, disk) {
            let deed = set(turn, disk, "write through", wording::recovery::NO_FLUSH_THERE);
            known.flush = Some(turn.order(deed, Some(SET_MS)));
            return;
        }
    }
    // Until then there is no ring, and blkfront will set its own limits over ours
    // (blkif_recover, drivers/block/xen-blkfront.c).
    let is_connected = |vbd: &Vbd| vbd.state() == Some(XenbusState::Connected);
    if !disk.vbd.as_ref().is_some_and(is_connected) {
        return;
    }
    let wanted = limits(&turn.settings.policy, disk);
    if let Some(setting) = wanted.get(usize::from(done - 1)) {
        known.care = Care::Reconnected(done.saturating_add(1));
        known.flush = Some(turn.order(Deed::SetQueue(setting.clone()), Some(SET_MS)));
        return;
    }
    known.care = Care::None;
    if advertised.is_on() && turn.settings.policy.barrier.value.probes() {
        known.flush = Some(turn.order(Deed::ProbeFlush(disk.name.clone()), Some(FLUSH_MS)));
    }
}

/// The disks of every backend device that shows a sign of trouble in this very turn: a key that
/// went from 1 to 0, a request that failed, the end of a stall.
fn troubled(turn: &Turn<'_>, disks: &[DiskMemory], was_stalled: &BTreeSet<Text>) -> BTreeSet<Text> {
    let is_sign = |known: &&DiskMemory| {
        let now = turn.world.seen.disk(&known.name).and_then(|disk| advertised(turn, disk));
        let is_less = matches!((now, known.advertised),
            (Some(now), Some(before)) if now.is_less_than(before));
        let has_ended = was_stalled.contains(&known.name) && !known.is_stalled;
        known.failed_ms == Some(turn.now_ms) || is_less || has_ended
    };
    let devices: Vec<Text> = disks
        .iter()
        .filter(is_sign)
        .filter_map(|known| backend_device(turn.world.seen.disk(&known.name)?))
        .collect();
    let shares = |disk: &&Disk| backend_device(disk).is_some_and(|one| devices.contains(&one));
    turn.world.seen.disks.iter().filter(shares).map(|disk| disk.name.clone()).collect()
}

/// What serves the disk on the host; each vbd by itself where the host does not tell.
fn backend_device(disk: &Disk) -> Option<Text> {
    let vbd = disk.vbd.as_ref()?;
    let named = vbd.backend.text("physical-device").or_else(|| vbd.backend.text("params"));
    named.or(vbd.backend_path.as_ref()).cloned()
}

#[cfg(test)]
mod tests;
