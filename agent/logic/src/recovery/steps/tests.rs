//! From the end of a step to the next: what every outcome leads to, and when a step may begin.

use alloc::string::String;
use alloc::vec;

use super::*;
use crate::policy::settings::Settings;
use crate::policy::word::Action;
use crate::recovery::effects::{Ended, Identity, Level};
use crate::recovery::memory::DiskMemory;
use crate::recovery::world::{VolumeSeen, World};
use crate::volume::Volume;

const NOW_MS: u64 = 1_000_000;
const DONE: Outcome = Outcome::Done;

fn volume(state: State) -> VolumeMemory {
    VolumeMemory { state, ..VolumeMemory::default() }
}

#[test]
fn a_recovery_has_taken_something_from_somebody_once_it_began_to_stop() {
    let begun = [
        (State::Aborted, false),
        (State::Recovering(Step::Confirm), false),
        (State::Recovering(Step::Stop), false),
        (State::Recovering(Step::Fsck), true),
        (State::Recovering(Step::Start), true),
        (State::GivenUp(Why::ManyMounts), false),
    ];
    for (state, expected) in begun {
        let memory = Memory { volumes: alloc::vec![volume(state)], ..Memory::default() };
        assert_eq!(memory.amid_recovery().count(), usize::from(expected), "{state:?}");
    }
    let mut stopping = volume(State::Recovering(Step::Umount));
    let memory = |volume: &VolumeMemory| Memory {
        volumes: alloc::vec![volume.clone()],
        ..Memory::default()
    };
    assert_eq!(memory(&stopping).amid_recovery().count(), 0, "nobody was stopped");
    stopping.stopped = alloc::vec![Text::from("mail.service")];
    assert_eq!(memory(&stopping).amid_recovery().count(), 1);
}

fn fails(kind: FailureKind) -> Outcome {
    Outcome::Failed(Failure { kind, text: String::new() })
}

fn users(units: &[&str], others: &[&str]) -> Outcome {
    Outcome::Users(Users {
        units: units.iter().copied().map(Text::from).collect(),
        others: others.iter().copied().map(String::from).collect(),
    })
}

/// `/srv`, an ext4 on xvdb that answers, in the midst of being brought back.
struct Case {
    settings: Settings,
    world: World,
    memory: Memory,
    is_mounted: bool,
}

impl Case {
    fn at(step: Step) -> Case {
        let mut settings = Settings::default();
        settings.recovery.default.value = Action::Recover;
        let mut world = World::default();
        world.seen.boot_ms = NOW_MS;
        let mountinfo = b"30 1 202:16 / /srv rw - ext4 /dev/xvdb rw\n";
        (world.seen.mounts, _) = crate::mountinfo::parse(mountinfo);
        let mut volume = volume(State::Recovering(step));
        volume.target.device = world.seen.mounts[0].device;
        volume.target.mount_id = 30;
        volume.target.mount_point = "/srv".into();
        volume.target.fstype = "ext4".into();
        volume.disks = vec!["xvdb".into()];
        volume.stopped = vec!["mail.service".into()];
        volume.identity = Some(Identity::default());
        volume.was_writable = true;
        volume.incident_ms = Some(NOW_MS - 60_000);
        let disk = DiskMemory {
            name: "xvdb".into(),
            answering_since_ms: Some(0),
            answered_ms: Some(NOW_MS),
            ..DiskMemory::default()
        };
        let memory = Memory { volumes: vec![volume], disks: vec![disk], ..Memory::default() };
        Case { settings, world, memory, is_mounted: true }
    }

    fn of_type(mut self, fstype: &str) -> Case {
        self.memory.volumes[0].target.fstype = fstype.into();
        self
    }

    fn without_users(mut self) -> Case {
        self.memory.volumes[0].stopped.clear();
        self
    }

    fn unmounted(mut self) -> Case {
        self.is_mounted = false;
        self
    }

    /// One turn; what it orders, and how loud it is.
    fn turn(&mut self) -> (Vec<Deed>, Vec<Level>) {
        let mut volume = self.memory.volumes.remove(0);
        let State::Recovering(step) = volume.state else { unreachable!("it is brought back") };
        let (seen, below) = (VolumeSeen::default(), below(&volume));
        let mount = &self.world.seen.mounts[0];
        let sight = self.is_mounted.then_some(Sight { seen: &seen, mount, volume: &below });
        let around = Around::new(&self.memory, &[], &[], Ok(()));
        let mut turn = Turn::sample(&self.settings, &self.world);
        turn.next_effect = 100;
        advance(&mut turn, &mut volume, &Place { around: &around, sight }, step);
        let (mut deeds, mut levels) = (Vec::new(), Vec::new());
        for effect in turn.effects {
            match effect.deed {
                Deed::Announce(said) => levels.push(said.level),
                deed => deeds.push(deed),
            }
        }
        self.memory.volumes = vec![volume];
        (deeds, levels)
    }

    /// Where it stands after its step ended so.
    fn after(mut self, outcome: Outcome) -> State {
        self.end(outcome);
        self.memory.volumes[0].state
    }

    fn end(&mut self, outcome: Outcome) -> Vec<Level> {
        let (deeds, _) = self.turn();
        assert_eq!(deeds.len(), 1, "the step was ordered");
        let Some(job) = &self.memory.volumes[0].job else { unreachable!("it is under way") };
        self.world.ended = vec![Ended { id: job.effect.id, outcome }];
        self.turn().1
    }
}

fn below(volume: &VolumeMemory) -> Volume {
    Volume {
        device: volume.target.device,
        device_name: "xvdb".into(),
        mount_point: volume.target.mount_point.clone(),
        fstype: volume.target.fstype.clone(),
        disks: volume.disks.clone(),
    }
}

#[test]
fn each_step_that_is_done_leads_to_the_next() {
    let next = |from, to| assert_eq!(Case::at(from).after(DONE), State::Recovering(to));
    next(Step::Verify, Step::List);
    next(Step::Stop, Step::Umount);
    next(Step::Umount, Step::Free);
    next(Step::Free, Step::Fsck);
    next(Step::Fsck, Step::Mount);
    next(Step::Mount, Step::Probe);
    next(Step::Probe, Step::Start);
    assert_eq!(Case::at(Step::Start).after(DONE), State::Healthy);
    assert_eq!(Case::at(Step::Probe).without_users().after(DONE), State::Healthy);
    for fstype in ["xfs", "btrfs"] {
        let free = Case::at(Step::Free).of_type(fstype).after(DONE);
        assert_eq!(free, State::Recovering(Step::Mount), "its mount replays the log");
    }
}

#[test]
fn a_write_says_whether_it_is_dead_at_all() {
    let confirmed = |outcome| Case::at(Step::Confirm).after(outcome);
    assert_eq!(confirmed(DONE), State::Healthy);
    assert_eq!(confirmed(fails(FailureKind::ReadOnly)), State::Recovering(Step::Verify));
    for outcome in [fails(FailureKind::Storage), fails(FailureKind::Other), Outcome::TimedOut] {
        assert_eq!(confirmed(outcome), State::Aborted);
    }
}

#[test]
fn its_users_are_stopped_where_all_of_them_may_be() {
    let listed = |units: &[&str], others: &[&str]| {
        Case::at(Step::List).without_users().after(users(units, others))
    };
    let units = ["mail.service", "mail.socket", "mail.timer", "mail.path"];
    assert_eq!(listed(&units, &[]), State::Recovering(Step::Stop));
    assert_eq!(listed(&[], &[]), State::Recovering(Step::Umount));
    let left = State::GivenUp(Why::Users);
    assert_eq!(listed(&units, &["swap file /srv/swap"]), left);
    for unit in ["multi-user.target", "srv.mount", "user.slice", "session-1.scope"] {
        assert_eq!(listed(&["mail.service", unit], &[]), left, "{unit}");
    }
    assert_eq!(Case::at(Step::List).after(fails(FailureKind::Other)), left);
    assert_eq!(Case::at(Step::List).after(Outcome::TimedOut), State::Aborted);
}

#[test]
fn what_fails_on_the_way_down_is_put_back() {
    for step in [Step::Stop, Step::Umount] {
        for outcome in [fails(FailureKind::Busy), fails(FailureKind::Storage), Outcome::TimedOut] {
            assert_eq!(Case::at(step).after(outcome), State::Recovering(Step::PutBack), "{step:?}");
        }
    }
    let nobody = Case::at(Step::Umount).without_users().after(fails(FailureKind::Busy));
    assert_eq!(nobody, State::GivenUp(Why::Busy));
    // It came off all the same, or by somebody else.
    let off = Case::at(Step::Umount).unmounted().after(fails(FailureKind::Other));
    assert_eq!(off, State::Recovering(Step::Free));
    let mut back = Case::at(Step::PutBack);
    back.memory.volumes[0].failing = Some(Why::NotStopped);
    assert_eq!(back.after(DONE), State::GivenUp(Why::NotStopped));
}

#[test]
fn what_fails_on_the_way_up_is_a_persons() {
    let after = |step, kind| Case::at(step).after(fails(kind));
    let given_up = State::GivenUp;
    assert_eq!(after(Step::Verify, FailureKind::Other), given_up(Why::Unverified));
    assert_eq!(after(Step::Free, FailureKind::Busy), given_up(Why::Busy));
    assert_eq!(after(Step::Fsck, FailureKind::NeedsPerson), given_up(Why::Fsck));
    assert_eq!(after(Step::Fsck, FailureKind::Busy), given_up(Why::Busy));
    assert_eq!(after(Step::Mount, FailureKind::Other), given_up(Why::NotMounted));
    assert_eq!(after(Step::Probe, FailureKind::ReadOnly), given_up(Why::StillDead));
    for step in [Step::Verify, Step::Fsck, Step::Mount] {
        assert_eq!(after(step, FailureKind::Different), given_up(Why::Different), "{step:?}");
    }
    let mut blind = Case::at(Step::Verify);
    blind.memory.volumes[0].identity = None;
    blind.turn();
    assert_eq!(blind.memory.volumes[0].state, given_up(Why::Unverified));
}

/// Two attempts within an hour: the one that is under way and one more.
#[test]
fn a_step_that_meets_the_storage_is_tried_again_from_the_device_on() {
    let storage = || fails(FailureKind::Storage);
    for (step, outcome, to) in [
        (Step::Free, storage(), Step::Free),
        (Step::Fsck, storage(), Step::Free),
        (Step::Mount, storage(), Step::Free),
        (Step::Probe, storage(), Step::Probe),
        (Step::Probe, Outcome::TimedOut, Step::Probe),
    ] {
        let mut case = Case::at(step);
        case.memory.volumes[0].attempts = vec![NOW_MS];
        case.end(outcome.clone());
        let volume = &case.memory.volumes[0];
        assert_eq!((volume.state, volume.attempts.len()), (State::Recovering(to), 2), "{step:?}");
        let mut last = Case::at(step);
        last.memory.volumes[0].attempts = vec![NOW_MS, NOW_MS];
        assert_eq!(last.after(outcome), State::GivenUp(Why::TooOften), "{step:?}");
    }
    for outcome in [storage(), Outcome::TimedOut] {
        assert_eq!(Case::at(Step::Verify).after(outcome), State::Aborted);
    }
}

#[test]
fn a_person_is_told_where_a_user_does_not_start() {
    for (outcome, expected) in [
        (DONE, vec![Level::Notice]),
        (fails(FailureKind::Other), vec![Level::Alert, Level::Notice]),
        (Outcome::TimedOut, vec![Level::Alert, Level::Notice]),
    ] {
        assert_eq!(Case::at(Step::Start).end(outcome), expected);
    }
}

#[test]
fn other_mounts_of_it_or_below_it_leave_it_alone() {
    let listed = |line: &[u8]| {
        let mut case = Case::at(Step::List);
        case.world.seen.mounts.extend(crate::mountinfo::parse(line).0);
        case.turn();
        case.memory.volumes[0].state
    };
    let stays = State::Recovering(Step::List);
    let left = State::GivenUp(Why::ManyMounts);
    assert_eq!(listed(b"31 1 202:16 / /mnt rw - ext4 /dev/xvdb rw\n"), left);
    assert_eq!(listed(b"31 1 202:32 / /srv/a rw - ext4 /dev/xvdc rw\n"), left);
    assert_eq!(listed(b"31 1 202:32 / /srv2 rw - ext4 /dev/xvdc rw\n"), stays);
}

/// A hold, a shutdown, a reboot, a disk that does not answer.
#[test]
fn what_took_nothing_yet_turns_back_and_what_did_goes_on() {
    let bends: [fn(&mut Turn<'_>, &mut Around<'_>); 4] = [
        |turn, _| turn.is_held = true,
        |_, around| around.is_rebooting = true,
        |_, around| around.disks = &[],
        |turn, around| (turn.is_held, around.disks) = (true, &[]),
    ];
    for (number, bend) in bends.iter().enumerate() {
        let is_silent = number >= 2;
        let readiness = |step, is_stopped: bool| {
            let case = if is_stopped { Case::at(step) } else { Case::at(step).without_users() };
            let mut around = Around::new(&case.memory, &[], &[], Ok(()));
            let mut turn = Turn::sample(&case.settings, &case.world);
            bend(&mut turn, &mut around);
            let place = Place { around: &around, sight: None };
            readiness(&mut turn, &case.memory.volumes[0], &place, step)
        };
        for step in [Step::Confirm, Step::Verify, Step::List, Step::Stop] {
            assert_eq!(readiness(step, true), Readiness::Back, "{number} {step:?}");
        }
        assert_eq!(readiness(Step::Umount, false), Readiness::Back, "{number}");
        let later = if is_silent { Readiness::Wait } else { Readiness::Go };
        for step in [Step::Umount, Step::Free, Step::Fsck, Step::Mount, Step::Probe] {
            assert_eq!(readiness(step, true), later, "{number} {step:?}");
        }
        for step in [Step::Start, Step::PutBack] {
            assert_eq!(readiness(step, true), Readiness::Go, "{number} {step:?}");
        }
    }
}

/// systemd kills what does not stop after `stop_within`, 90 s by default; a check is never killed.
#[test]
fn each_step_has_its_time() {
    let deadline_s = |step| {
        let mut case = Case::at(step);
        case.turn();
        let job = case.memory.volumes[0].job.take();
        job.and_then(|job| job.effect.deadline_ms).map(|time_ms| time_ms / 1000)
    };
    assert_eq!(deadline_s(Step::Stop), Some(105));
    assert_eq!(deadline_s(Step::Fsck), None);
    assert_eq!(deadline_s(Step::Mount), Some(600));
    assert_eq!(deadline_s(Step::Start), Some(300));
    assert_eq!(deadline_s(Step::Probe), Some(30));
}
