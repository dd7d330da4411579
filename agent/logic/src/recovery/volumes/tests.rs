//! What becomes of a volume that somebody mounts or unmounts, by where it stood.

use alloc::vec;

use super::*;
use crate::policy::settings::Settings;
use crate::recovery::effects::{Deed, Effect, Identity};
use crate::recovery::memory::Job;

const SRV: &[u8] = b"30 1 202:16 / /srv rw - ext4 /dev/xvdb rw\n";

/// One that stands there, whether users of it were stopped, and whether a step of it is under way.
fn volume(state: State, is_stopped: bool, has_begun: bool) -> VolumeMemory {
    let effect = Effect { id: 5, deadline_ms: None, deed: Deed::AskDisk("xvdb".into()) };
    let job = has_begun.then(|| Job { effect: effect.into(), ordered_ms: 0, lost: 0 });
    let stopped = if is_stopped { vec![Text::from("mail.service")] } else { vec![] };
    let target = Target { mount_id: 30, mount_point: "/srv".into(), ..Target::default() };
    VolumeMemory { target, state, stopped, job, was_writable: true, ..VolumeMemory::default() }
}

/// Where it stands once it is unmounted.
fn unmounted(mut volume: VolumeMemory, is_rebooting: bool) -> State {
    let (settings, world) = (Settings::default(), World::default());
    follow_unmount(&mut Turn::sample(&settings, &world), &mut volume, is_rebooting);
    assert_eq!(volume.target.mount_id, u32::MAX, "the next mount may get the same id");
    volume.state
}

#[test]
fn what_others_unmount_is_left_to_them() {
    let recovering = State::Recovering;
    for step in [Step::Confirm, Step::Verify, Step::List] {
        assert_eq!(unmounted(volume(recovering(step), false, false), false), State::Aborted);
    }
    for step in [Step::Free, Step::Fsck, Step::Mount] {
        let stands = recovering(step);
        assert_eq!(unmounted(volume(stands, true, true), false), stands, "it is our work");
    }
    let given_up = State::GivenUp(Why::Unmounted);
    for step in [Step::Stop, Step::Probe, Step::Start, Step::PutBack] {
        assert_eq!(unmounted(volume(recovering(step), true, false), false), given_up, "{step:?}");
    }
    let umount = recovering(Step::Umount);
    assert_eq!(unmounted(volume(umount, true, true), false), umount, "so it was ordered");
    assert_eq!(unmounted(volume(umount, false, false), false), State::Aborted);
    assert_eq!(unmounted(volume(umount, true, false), false), given_up);
}

#[test]
fn a_reboot_is_taken_back_only_before_it_begins() {
    let pending = State::RebootPending(90_000);
    assert_eq!(unmounted(volume(pending, false, false), false), State::Aborted);
    assert_eq!(unmounted(volume(pending, false, false), true), pending);
}

/// Looks at it where mountinfo shows this line.
fn see(line: &[u8], volume: &mut VolumeMemory) {
    let (settings, world) = (Settings::default(), World::default());
    let (mounts, _) = crate::mountinfo::parse(line);
    let below = Volume {
        device: mounts[0].device,
        device_name: "xvdb".into(),
        mount_point: "/srv".into(),
        fstype: "ext4".into(),
        disks: vec!["xvdb".into()],
    };
    let sight = Sight { seen: &VolumeSeen::default(), mount: &mounts[0], volume: &below };
    follow_mount(&mut Turn::sample(&settings, &world), volume, &sight, 0);
}

/// Where it stands once another mount of it is there, writable or not; and whether it must show
/// that it takes writes.
fn mounted_anew(mut volume: VolumeMemory, mode: &[u8]) -> (State, bool) {
    let line = [b"31 1 202:16 / /srv ", mode, b" - ext4 /dev/xvdb ", mode, b"\n"].concat();
    see(&line, &mut volume);
    assert_eq!((volume.target.mount_id, volume.identity, volume.read_ms), (31, None, None));
    (volume.state, volume.is_suspect)
}

#[test]
fn a_mount_by_others_is_followed() {
    let recovering = State::Recovering;
    let anew = |state, is_stopped, mode| mounted_anew(volume(state, is_stopped, false), mode);
    assert_eq!(anew(State::Healthy, false, b"rw"), (State::Healthy, false));
    assert_eq!(anew(State::Aborted, false, b"rw"), (State::Erring, true));
    assert_eq!(anew(State::Erring, false, b"rw"), (State::Erring, true));
    for step in [Step::Stop, Step::Umount, Step::PutBack] {
        let probe = (recovering(Step::Probe), false);
        assert_eq!(anew(recovering(step), true, b"rw"), probe, "{step:?}");
        assert_eq!(anew(recovering(step), false, b"rw"), (State::Erring, true), "{step:?}");
    }
    for step in [Step::Free, Step::Fsck, Step::Mount] {
        let probe = (recovering(Step::Probe), false);
        assert_eq!(anew(recovering(step), false, b"rw"), probe, "{step:?}");
    }
    for step in [Step::Probe, Step::Start] {
        assert_eq!(anew(recovering(step), true, b"rw"), (recovering(step), false), "{step:?}");
    }
}

#[test]
fn the_same_mount_changes_nothing_but_what_it_was_seen_to_be() {
    for (was_writable, is_read_anew) in [(false, true), (true, false)] {
        let mut volume = VolumeMemory {
            was_writable,
            identity: Some(Identity::default()),
            ..volume(State::Aborted, false, false)
        };
        see(SRV, &mut volume);
        assert_eq!((volume.state, volume.was_writable), (State::Aborted, true));
        assert_eq!(volume.identity.is_none(), is_read_anew);
    }
}

#[test]
fn what_is_over_is_forgotten_with_its_mount() {
    let (settings, mut world) = (Settings::default(), World::default());
    let forgotten = |world: &World, state, has_begun| {
        is_forgotten(&Turn::sample(&settings, world), &volume(state, false, has_begun))
    };
    for state in [State::Healthy, State::Stalled, State::Erring, State::Aborted] {
        assert!(forgotten(&world, state, false), "{state:?}");
        assert!(!forgotten(&world, state, true), "{state:?}");
    }
    assert!(forgotten(&world, State::Recovering(Step::List), false));
    for state in [
        State::Recovering(Step::Stop),
        State::Recovering(Step::Fsck),
        State::RebootPending(1),
        State::GivenUp(Why::Fsck),
    ] {
        assert!(!forgotten(&world, state, false), "{state:?}");
    }
    (world.seen.mounts, _) = crate::mountinfo::parse(SRV);
    assert!(!forgotten(&world, State::Healthy, false));
}

#[test]
fn another_state_begins_now_and_leaves_what_nobody_does_any_more() {
    let (settings, mut world) = (Settings::default(), World::default());
    world.seen.boot_ms = 7_000;
    world.running = vec![5];
    for (state, leaves_reboot) in [
        (State::RebootPending(9_000), false),
        (State::Recovering(Step::Verify), false),
        (State::Recovering(Step::Confirm), true),
        (State::Aborted, true),
    ] {
        let mut one = volume(State::Erring, false, true);
        one.reboot_ms = Some(9_000);
        let mut turn = Turn::sample(&settings, &world);
        enter(&mut turn, &mut one, state);
        assert_eq!((one.state, one.since_ms, turn.moves.len()), (state, 7_000, 1));
        assert_eq!(one.reboot_ms.is_none(), leaves_reboot, "{state:?}");
        assert!(one.job.is_some(), "its child still runs");
    }
    let idle = World { running: vec![], ..world.clone() };
    let mut one = volume(State::Erring, false, true);
    let mut turn = Turn::sample(&settings, &idle);
    enter(&mut turn, &mut one, State::Erring);
    assert_eq!((one.since_ms, turn.moves.len(), one.job), (0, 0, None));
}
