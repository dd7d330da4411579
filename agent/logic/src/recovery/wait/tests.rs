//! When something may be begun about a dead volume: the disks, root, the uptime, the attempts.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::policy::settings::Settings;
use crate::recovery::memory::{DiskMemory, Memory};
use crate::recovery::world::World;

const MINUTE_MS: u64 = 60_000;

/// A disk that has answered since then, up to now.
fn disk(name: &str, since_ms: Option<u64>, now_ms: u64) -> DiskMemory {
    let answered_ms = since_ms.map(|_| now_ms);
    DiskMemory {
        name: name.into(),
        answering_since_ms: since_ms,
        answered_ms,
        ..DiskMemory::default()
    }
}

/// Whether a reboot for `/` on xvda may begin so long after boot, its incident being that old, with
/// another volume's disk that answers or not; and when to look again.
fn reboots(now_ms: u64, dead_for_ms: u64, other_answers: bool) -> (bool, u64) {
    reboots_for("/", now_ms, dead_for_ms, other_answers)
}

fn reboots_for(point: &str, now_ms: u64, dead_for_ms: u64, other_answers: bool) -> (bool, u64) {
    let (settings, mut world) = (Settings::default(), World::default());
    world.seen.boot_ms = now_ms;
    let volume = |point: &str, disk: &str| {
        let mut volume = VolumeMemory { disks: vec![disk.into()], ..VolumeMemory::default() };
        volume.target.mount_point = point.into();
        volume
    };
    let dead = VolumeMemory {
        incident_ms: Some(now_ms - dead_for_ms),
        state: State::Aborted,
        ..volume(point, "xvda")
    };
    let other = other_answers.then_some(0);
    let disks = vec![disk("xvda", Some(0), now_ms), disk("xvdb", other, now_ms)];
    let volumes = vec![dead.clone(), volume("/srv", "xvdb")];
    let memory = Memory { disks, volumes, ..Memory::default() };
    let around = Around::new(&memory, &memory.volumes, &[], Ok(()));
    let mut turn = Turn::sample(&settings, &world);
    (is_ready_for_reboot(&mut turn, &dead, &around), turn.wake_ms)
}

/// Ten minutes by default, and the disks are asked a minute before: twice `settle`.
#[test]
fn no_reboot_before_the_minimum_uptime() {
    assert_eq!(reboots(5 * MINUTE_MS, 0, true), (false, 9 * MINUTE_MS));
    assert_eq!(reboots(9 * MINUTE_MS, 0, true), (false, 10 * MINUTE_MS));
    assert_eq!(reboots(10 * MINUTE_MS, 0, true), (true, u64::MAX));
}

#[test]
fn a_reboot_waits_half_an_hour_for_every_other_disk() {
    let now_ms = 60 * MINUTE_MS;
    assert!(!reboots(now_ms, 30 * MINUTE_MS - 1, false).0);
    assert!(reboots(now_ms, 30 * MINUTE_MS, false).0);
    assert!(reboots(now_ms, 0, true).0);
}

/// What lives on a silent disk would be lost to it, and the guest works without `/var`.
#[test]
fn a_reboot_for_less_than_root_waits_for_every_disk() {
    let now_ms = 240 * MINUTE_MS;
    assert!(!reboots_for("/var", now_ms, 180 * MINUTE_MS, false).0);
    assert!(reboots_for("/var", now_ms, 0, true).0);
}

/// What a data volume comes to while root stands there.
fn beside(root: Option<State>) -> (bool, State) {
    let (settings, mut world) = (Settings::default(), World::default());
    world.seen.boot_ms = MINUTE_MS;
    let state = State::Aborted;
    let mut volume = VolumeMemory { disks: vec!["xvdb".into()], state, ..VolumeMemory::default() };
    let disks = vec![disk("xvdb", Some(0), MINUTE_MS)];
    let memory = Memory { disks, ..Memory::default() };
    let mut around = Around::new(&memory, &[], &[], Ok(()));
    around.root_state = root;
    let is_ready =
        is_ready_for_recovery(&mut Turn::sample(&settings, &world), &mut volume, &around);
    (is_ready, volume.state)
}

#[test]
fn nothing_begins_while_root_is_dead() {
    for root in [None, Some(State::Healthy), Some(State::Stalled), Some(State::Erring)] {
        assert_eq!(beside(root), (true, State::Aborted), "{root:?}");
    }
    for root in [State::Aborted, State::Recovering(Step::Verify), State::RebootPending(1)] {
        assert_eq!(beside(Some(root)), (false, State::Aborted), "{root:?}");
    }
    let given_up = Some(State::GivenUp(Why::Guard));
    assert_eq!(beside(given_up), (false, State::GivenUp(Why::RootDead)));
}

/// Two within an hour by default.
#[test]
fn attempts_count_for_an_hour() {
    let (settings, mut world) = (Settings::default(), World::default());
    world.seen.boot_ms = 90 * MINUTE_MS;
    let turn = Turn::sample(&settings, &world);
    let may_try = |attempts: &[u64]| {
        let attempts: Vec<u64> = attempts.iter().map(|minute| minute * MINUTE_MS).collect();
        let mut volume = VolumeMemory { attempts, ..VolumeMemory::default() };
        (volume.may_try(&turn), volume.attempts.len())
    };
    assert_eq!(may_try(&[]), (true, 0));
    assert_eq!(may_try(&[31, 89]), (false, 2));
    assert_eq!(may_try(&[30, 89]), (true, 1), "the first is an hour old");
}
