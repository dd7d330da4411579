//! A volume that is watched: what its disks say of it, and what a write or a read of it shows.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::policy::settings::Settings;
use crate::recovery::effects::{Ended, Failure, Identity, Target};
use crate::recovery::memory::{DiskMemory, Memory};
use crate::recovery::world::{DiskSeen, VolumeSeen, World};
use crate::volume::Volume;

const NOW_MS: u64 = 1_000_000;

/// `/srv` on xvdb, and what one turn orders and says about it.
struct Case {
    settings: Settings,
    world: World,
    disk: DiskMemory,
    volume: VolumeMemory,
}

impl Case {
    fn new() -> Case {
        let mut world = World::default();
        world.seen.boot_ms = NOW_MS;
        world.disks = vec![DiskSeen { name: "xvdb".into(), ..DiskSeen::default() }];
        let mountinfo = b"30 1 202:16 / /srv rw - ext4 /dev/xvdb rw\n";
        (world.seen.mounts, _) = crate::mountinfo::parse(mountinfo);
        let mut volume = VolumeMemory { was_writable: true, ..VolumeMemory::default() };
        volume.target.mount_id = 30;
        volume.target.mount_point = "/srv".into();
        volume.target.fstype = "ext4".into();
        volume.disks = vec!["xvdb".into()];
        volume.identity = Some(Identity::default());
        let disk = DiskMemory { name: "xvdb".into(), ..DiskMemory::default() };
        Case { settings: Settings::default(), world, disk, volume }
    }

    /// Its disk has answered for long, and did so just now.
    fn answering(mut self) -> Case {
        (self.disk.answering_since_ms, self.disk.answered_ms) = (Some(0), Some(NOW_MS));
        self
    }

    /// One turn: what it orders, and when to look again.
    fn turn(&mut self) -> (Vec<Deed>, u64) {
        let below = Volume {
            device: self.volume.target.device,
            device_name: "xvdb".into(),
            mount_point: "/srv".into(),
            fstype: "ext4".into(),
            disks: self.volume.disks.clone(),
        };
        let seen = VolumeSeen::default();
        let sight = Sight { seen: &seen, mount: &self.world.seen.mounts[0], volume: &below };
        let memory = Memory { disks: vec![self.disk.clone()], ..Memory::default() };
        let around = Around::new(&memory, &[], &[], Ok(()));
        let mut turn = Turn { next_effect: 100, ..Turn::sample(&self.settings, &self.world) };
        watch(&mut turn, &mut self.volume, &around, &sight);
        (turn.effects.into_iter().map(|effect| effect.deed).collect(), turn.wake_ms)
    }

    /// Takes this end of what is under way.
    fn ends(&mut self, outcome: Outcome) {
        let Some(job) = &self.volume.job else { unreachable!("something was ordered") };
        self.world.ended = vec![Ended { id: job.effect.id, outcome }];
        self.turn();
    }
}

#[test]
fn a_stall_is_said_once() {
    let mut case = Case::new();
    case.disk.is_stalled = true;
    assert!(matches!(case.turn().0[..], [Deed::Announce(_)]));
    assert_eq!(case.volume.state, State::Stalled);
    assert!(case.turn().0.is_empty());
    case.disk.is_stalled = false;
    case.turn();
    assert_eq!(case.volume.state, State::Healthy);
}

/// Five seconds of quiet by default.
#[test]
fn a_disk_that_failed_makes_its_volume_err_until_it_was_quiet() {
    let mut case = Case::new();
    case.disk.failed_ms = Some(NOW_MS - 4_999);
    assert_eq!(case.turn().1, NOW_MS + 50, "in a millisecond, but never in a busy loop");
    assert_eq!(case.volume.state, State::Erring);
    case.disk.failed_ms = Some(NOW_MS - 5_000);
    case.turn();
    assert_eq!(case.volume.state, State::Healthy);
}

#[test]
fn a_suspicion_is_cleared_up_by_a_write_once_the_disk_answers() {
    let mut silent = Case::new();
    silent.volume.is_suspect = true;
    assert!(silent.turn().0.is_empty());
    assert_eq!(silent.volume.state, State::Erring);

    let suspected = || {
        let mut case = Case::new().answering();
        case.volume.is_suspect = true;
        assert!(matches!(case.turn().0[..], [Deed::ProbeWrite(_)]));
        case
    };
    let mut well = suspected();
    well.ends(Outcome::Done);
    assert_eq!((well.volume.state, well.volume.is_suspect), (State::Healthy, false));

    let failure = |kind| Outcome::Failed(Failure { kind, text: String::new() });
    let mut dead = suspected();
    dead.ends(failure(FailureKind::ReadOnly));
    assert_eq!(dead.volume.state, State::Aborted);

    for outcome in [failure(FailureKind::Other), Outcome::TimedOut] {
        let mut unknown = suspected();
        unknown.ends(outcome);
        assert_eq!((unknown.volume.state, unknown.volume.is_suspect), (State::Erring, true));
        unknown.world.ended.clear();
        assert_eq!(unknown.turn(), (vec![], NOW_MS + 60_000), "not again within a minute");
    }
}

#[test]
fn without_writes_the_kernel_alone_is_believed() {
    let mut case = Case::new().answering();
    case.settings.daemon.write_probe.value = WriteProbe::Never;
    case.volume.is_suspect = true;
    assert!(case.turn().0.is_empty());
    assert!(!case.volume.is_suspect);
}

#[test]
fn its_super_block_is_read_once_and_not_again_within_a_minute() {
    let mut case = Case::new();
    case.volume.identity = None;
    assert!(matches!(case.turn().0[..], [Deed::ReadIdentity(_)]));
    case.ends(Outcome::TimedOut);
    case.world.ended.clear();
    assert!(case.turn().0.is_empty());
    case.world.seen.boot_ms = NOW_MS + 60_000;
    assert!(matches!(case.turn().0[..], [Deed::ReadIdentity(_)]));
    case.ends(Outcome::Identity(Identity { sectors: 8, ..Identity::default() }));
    assert_eq!(case.volume.identity.as_ref().map(|known| known.sectors), Some(8));
    case.world.ended.clear();
    assert!(case.turn().0.is_empty());
}

#[test]
fn what_was_learned_of_another_mount_counts_for_nothing() {
    let mut case = Case::new();
    case.volume.identity = None;
    case.turn();
    let Some(job) = &mut case.volume.job else { unreachable!("a read was ordered") };
    job.effect.deed = Deed::ReadIdentity(Target { mount_id: 29, ..case.volume.target.clone() });
    case.ends(Outcome::Identity(Identity::default()));
    assert_eq!(case.volume.identity, None);
}

#[test]
fn a_mount_that_somebody_made_read_only_is_no_alarm() {
    let mut case = Case::new();
    let mountinfo = b"30 1 202:16 / /srv ro - ext4 /dev/xvdb ro\n";
    (case.world.seen.mounts, _) = crate::mountinfo::parse(mountinfo);
    (case.volume.is_suspect, case.volume.state) = (true, State::Erring);
    assert!(case.turn().0.is_empty());
    assert_eq!((case.volume.state, case.volume.is_suspect), (State::Healthy, false));
}

/// A disk is asked before it is written to, each tick of 30 s.
#[test]
fn each_tick_writes_where_the_policy_says_so() {
    let mut case = Case::new();
    case.settings.daemon.write_probe.value = WriteProbe::EveryTick;
    assert!(case.turn().0.is_empty());
    assert!(case.volume.is_due, "its disk is to be asked first");
    let mut case = Case { settings: case.settings, ..Case::new().answering() };
    assert!(matches!(case.turn().0[..], [Deed::ProbeWrite(_)]));
    assert!(!case.volume.is_due);
    case.ends(Outcome::Done);
    case.world.ended.clear();
    assert!(case.turn().0.is_empty());
    case.world.seen.boot_ms = NOW_MS + 30_000;
    case.disk.answered_ms = Some(NOW_MS + 30_000);
    assert!(matches!(case.turn().0[..], [Deed::ProbeWrite(_)]));
}
