//! One turn of the daemon's loop: from what is kept and what is seen to what is to be done.
//!
//! Pure: the same memory and world give the same decision. The caller keeps the memory before it
//! carries out the effects, and comes back at `wake_ms` or when anything happens.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::order;
use crate::policy::settings::Settings;
use crate::recovery::around::{Around, works};
use crate::recovery::effects::Effect;
use crate::recovery::incident::{lose_patience, reopen};
use crate::recovery::memory::{Memory, State, VolumeMemory};
use crate::recovery::steps::Place;
use crate::recovery::transitions::Move;
use crate::recovery::turn::{Turn, ms, there};
use crate::recovery::volumes::sights;
use crate::recovery::world::{Release, World};
use crate::recovery::{disks, guard, hold, reboot, role, shelter, steps, volumes, wait, watch};
use crate::text::Text;

/// What one turn decides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// To be kept before anything is done.
    pub memory: Memory,
    /// To be done, in this order; each is begun at once.
    pub effects: Vec<Effect>,
    /// What volumes went through in this turn.
    pub moves: Vec<Move>,
    /// When to look again, if nothing happens before: milliseconds since boot.
    pub wake_ms: u64,
}

/// States that a volume may go through in one turn: none comes twice.
const STATES: usize = 16;

/// Decides what to do now.
pub fn decide(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let is_new = memory.boot_id != world.seen.boot_id || memory.next_effect == 0;
    let mut memory = if memory.boot_id == world.seen.boot_id { memory } else { Memory::default() };
    memory.boot_id.clone_from(&world.seen.boot_id);
    if settings.policy.inert.is_some() {
        let wake_ms = world.seen.boot_ms + ms(settings.daemon.tick.value);
        return Decision { memory, wake_ms, ..Decision::default() };
    }
    hold::update(&mut memory, world);
    let mut turn = open(settings, &mut memory, world);
    let was_stalled = stalled(&memory);
    disks::follow_guest(&mut memory, world);
    disks::update(&mut turn, &mut memory.disks, is_new);
    disks::doubt(world, &memory.volumes, &mut memory.disks);
    volumes::update(&mut turn, &mut memory);
    release(&mut turn, &mut memory);
    reboot::follow(&mut turn, &mut memory);
    drive(&mut turn, &mut memory);
    shelter::care(&mut turn, &mut memory, &was_stalled);
    guard::keep(&mut turn, &mut memory);
    disks::ask(&mut turn, &mut memory);
    memory.next_sequence = world.signs.next_sequence;
    memory.next_effect = turn.next_effect;
    memory.said = turn.said;
    Decision { memory, effects: turn.effects, moves: turn.moves, wake_ms: turn.wake_ms }
}

fn open<'a>(settings: &'a Settings, memory: &mut Memory, world: &'a World) -> Turn<'a> {
    let longest_ms = ms(settings.reboot.jitter.value);
    let drawn_ms = world.chance % (longest_ms + 1);
    let mut turn = Turn {
        settings,
        world,
        sights: sights(world),
        there: there(world),
        core: role::core(&world.seen),
        now_ms: world.seen.boot_ms,
        is_held: memory.hold.is_some(),
        jitter_ms: *memory.jitter_ms.get_or_insert(drawn_ms),
        next_effect: memory.next_effect,
        effects: Vec::new(),
        said: Vec::new(),
        moves: Vec::new(),
        wake_ms: world.seen.boot_ms + ms(settings.daemon.tick.value),
    };
    if let Some(until_ms) = memory.hold.as_ref().and_then(|hold| hold.until_ms) {
        turn.wake(until_ms);
    }
    turn.follow_said(core::mem::take(&mut memory.said));
    turn
}

fn stalled(memory: &Memory) -> BTreeSet<Text> {
    let stalled = memory.disks.iter().filter(|disk| disk.is_stalled);
    order::gather(stalled.map(|disk| disk.name.clone()))
}

/// A person has seen to a volume: it is looked at as if for the first time.
fn release(turn: &mut Turn<'_>, memory: &mut Memory) {
    let is_released = |volume: &VolumeMemory| {
        let named = Release::Volume(volume.target.mount_point.clone());
        matches!(volume.state, State::GivenUp(_)) && turn.world.releases.contains(&named)
    };
    memory.volumes.retain(|volume| !is_released(volume) || turn.sight(volume).is_some());
    for volume in memory.volumes.iter_mut().filter(|volume| is_released(volume)) {
        volume.attempts.clear();
        volume.probed_ms = None;
        reopen(turn, volume);
    }
}

/// Takes every volume as far as it can go in this turn.
fn drive(turn: &mut Turn<'_>, memory: &mut Memory) {
    let mut volumes = core::mem::take(&mut memory.volumes);
    let guard = guard::allows(turn, &memory.record);
    let mut is_due = false;
    let around = Around::new(memory, &volumes, &turn.world.running, guard);
    for volume in &mut volumes {
        for _ in 0..STATES {
            let before = volume.state;
            is_due |= step(turn, volume, &around);
            if volume.state == before {
                break;
            }
            if volume.state == State::Healthy {
                // What comes next is another incident.
                turn.wake(turn.now_ms);
                break;
            }
        }
        if works(volume) {
            around.is_work_under_way.set(true);
        }
        lose_patience(turn, volume);
    }
    // What was begun after the volume that waits for the reboot was looked at counts too.
    is_due &= !volumes.iter().any(works);
    memory.volumes = volumes;
    if is_due && !memory.is_rebooting {
        reboot::order(turn, memory);
    }
}

/// One step of one volume; whether the reboot that it waits for is due.
fn step(turn: &mut Turn<'_>, volume: &mut VolumeMemory, around: &Around<'_>) -> bool {
    let sight = turn.sight(volume);
    match volume.state {
        State::Healthy | State::Stalled | State::Erring => match &sight {
            Some(sight) => watch::watch(turn, volume, around, sight),
            None => turn.let_end(&mut volume.job),
        },
        State::Aborted => wait::wait(turn, volume, around, sight.as_ref()),
        State::Recovering(step) => {
            steps::advance(turn, volume, &Place { around, sight }, step);
        }
        State::RebootPending(at_ms) => return reboot::is_due(turn, volume, around, at_ms),
        State::GivenUp(_) => turn.let_end(&mut volume.job),
    }
    false
}
