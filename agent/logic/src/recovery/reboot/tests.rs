//! A reboot that is armed: what begins it, what takes it back, and what becomes of it.

use alloc::string::String;
use alloc::vec;

use super::*;
use crate::policy::settings::Settings;
use crate::recovery::effects::{Ended, Failure, FailureKind};
use crate::recovery::memory::{DiskMemory, Job};
use crate::recovery::world::World;

const NOW_MS: u64 = 1_000_000;

/// Root, dead, on a disk that has answered since then.
fn guest(answering_since_ms: u64) -> (Settings, World, Memory) {
    let mut world = World::default();
    world.seen.boot_ms = NOW_MS;
    let mut root = VolumeMemory {
        disks: vec!["xvda".into()],
        state: State::RebootPending(NOW_MS),
        since_ms: NOW_MS,
        incident_ms: Some(NOW_MS - 60_000),
        by_reboot: true,
        ..VolumeMemory::default()
    };
    root.target.mount_point = "/".into();
    let disk = DiskMemory {
        name: "xvda".into(),
        answering_since_ms: Some(answering_since_ms),
        answered_ms: Some(NOW_MS),
        ..DiskMemory::default()
    };
    let memory = Memory { volumes: vec![root], disks: vec![disk], ..Memory::default() };
    (Settings::default(), world, memory)
}

/// What becomes of a reboot that is pending for this moment, in a guest that is bent.
fn pending(bend: impl Fn(&mut Turn<'_>, &mut Around<'_>, &mut VolumeMemory)) -> (bool, State, u64) {
    let (settings, world, memory) = guest(0);
    let mut root = memory.volumes[0].clone();
    let mut around = Around::new(&memory, &memory.volumes, &[], Ok(()));
    let mut turn = Turn::sample(&settings, &world);
    bend(&mut turn, &mut around, &mut root);
    let State::RebootPending(at_ms) = root.state else { unreachable!("it is pending") };
    let is_due = is_due(&mut turn, &mut root, &around, at_ms);
    (is_due, root.state, turn.wake_ms)
}

#[test]
fn a_reboot_begins_when_nothing_speaks_against_it() {
    let stays = State::RebootPending(NOW_MS);
    assert_eq!(pending(|_, _, _| {}), (true, stays, u64::MAX));
    let later = State::RebootPending(NOW_MS + 9_000);
    assert_eq!(pending(|_, _, root| root.state = later), (false, later, NOW_MS + 9_000));
    assert_eq!(pending(|_, around, _| around.is_rebooting = true), (false, stays, u64::MAX));
    let is_busy = pending(|_, around, _| around.is_work_under_way.set(true));
    assert_eq!(is_busy, (false, stays, u64::MAX), "a check is never cut off");
}

#[test]
fn a_reboot_is_taken_back() {
    let state = |bend: fn(&mut Turn<'_>, &mut Around<'_>, &mut VolumeMemory)| pending(bend).1;
    assert_eq!(state(|turn, _, _| turn.is_held = true), State::Aborted);
    assert_eq!(state(|_, around, _| around.disks = &[]), State::Aborted, "nobody answers");
    let beside = state(|_, around, _| around.all_disks.push("xvdb".into()));
    assert_eq!(beside, State::Aborted, "another disk is silent");
    let refused = |_: &mut Turn<'_>, around: &mut Around<'_>, _: &mut VolumeMemory| {
        around.guard = Err(Refusal::NotLasting);
    };
    assert_eq!(pending(refused).1, State::GivenUp(Why::Guard));
}

/// Two seconds: what comes back after that might be an older snapshot.
#[test]
fn the_disk_is_compared_anew_right_before() {
    let since = |since_ms: u64| pending(move |_, _, root| root.since_ms = since_ms).1;
    assert_eq!(since(NOW_MS - 2_000), State::RebootPending(NOW_MS));
    assert_eq!(since(NOW_MS - 2_001), State::Recovering(Step::Verify));
}

/// Announced at once, and again where it is armed anew only if that is another reboot.
#[test]
fn a_reboot_is_announced_once_with_its_time() {
    let (settings, world, memory) = guest(0);
    let around = Around::new(&memory, &memory.volumes, &[], Ok(()));
    let mut turn = Turn { jitter_ms: 7_000, ..Turn::sample(&settings, &world) };
    let mut root =
        VolumeMemory { state: State::Recovering(Step::Verify), ..VolumeMemory::default() };
    for said in [1, 1] {
        arm(&mut turn, &mut root, &around);
        assert_eq!(root.state, State::RebootPending(NOW_MS + 7_000));
        assert_eq!(turn.said.len(), said);
        enter(&mut turn, &mut root, State::Recovering(Step::Verify));
    }
    enter(&mut turn, &mut root, State::Aborted);
    arm(&mut turn, &mut root, &around);
    assert_eq!(turn.said.len(), 2, "it was taken back in between");
}

/// Where root and the memory of the reboot stand after the keeper's answer.
fn answered(outcome: Option<Outcome>) -> (State, bool, bool) {
    let (settings, mut world, mut memory) = guest(0);
    order(&mut Turn::sample(&settings, &world), &mut memory);
    let Some(Job { effect, .. }) = &memory.reboot else { unreachable!("it was ordered") };
    let Deed::Reboot(ladder) = &effect.deed else { unreachable!("a reboot was ordered") };
    assert_eq!((ladder.orderly_ms, ladder.dead.len()), (300_000, 1));
    assert!(memory.is_rebooting);
    world.ended.extend(outcome.map(|outcome| Ended { id: effect.id, outcome }));
    world.seen.boot_ms += 100;
    follow(&mut Turn::sample(&settings, &world), &mut memory);
    (memory.volumes[0].state, memory.is_rebooting, memory.reboot.is_some())
}

#[test]
fn a_keeper_that_cannot_leaves_it_to_a_person() {
    let pending = State::RebootPending(NOW_MS);
    assert_eq!(answered(Some(Outcome::Done)), (pending, true, false));
    let failure = Failure { kind: FailureKind::Other, text: String::new() };
    let failed = answered(Some(Outcome::Failed(failure)));
    assert_eq!(failed, (State::GivenUp(Why::NoReboot), false, false));
    assert_eq!(answered(None), (State::Aborted, false, false), "nobody knows if it heard");
}
