//! Effects from their order to their end: when the loop wakes for them, and what became of them.

use alloc::vec;

use super::*;
use crate::recovery::effects::Ended;

const DEADLINE_MS: u64 = 2_000;

/// What is followed here, ordered at second ten.
fn ordered(deadline_ms: Option<u64>) -> (Settings, World, Job) {
    let (settings, mut world) = (Settings::default(), World::default());
    world.seen.boot_ms = 10_000;
    let job = Turn::sample(&settings, &world).order(Deed::AskDisk("xvda".into()), deadline_ms);
    (settings, world, job)
}

/// How it stands at that moment: its progress, when to look again, what was ordered anew.
fn at(now_ms: u64, running: bool, job: Job) -> (Progress, u64, usize, Option<Job>) {
    let settings = Settings::default();
    let mut world = World::default();
    world.seen.boot_ms = now_ms;
    world.running.extend(running.then_some(job.effect.id));
    let mut turn = Turn::sample(&settings, &world);
    let mut place = Some(job);
    let progress = turn.follow(&mut place);
    (progress, turn.wake_ms, turn.effects.len(), place)
}

/// Two seconds for its child, five until that is gone once it was killed.
#[test]
fn the_loop_wakes_when_a_child_is_overdue() {
    let (settings, world, _) = ordered(None);
    let mut turn = Turn::sample(&settings, &world);
    turn.order(Deed::AskDisk("xvda".into()), None);
    assert_eq!(turn.wake_ms, u64::MAX);
    let job = turn.order(Deed::AskDisk("xvdb".into()), Some(DEADLINE_MS));
    assert_eq!((job.effect.id, turn.next_effect), (2, 3));
    assert_eq!(turn.wake_ms, 17_001);

    let (progress, wake_ms, anew, _) = at(17_000, true, job.clone());
    assert!(matches!(progress, Progress::Running));
    assert_eq!((wake_ms, anew), (17_050, 0), "at once, but never in a busy loop");
    let (progress, wake_ms, anew, place) = at(17_001, true, job);
    assert!(matches!(progress, Progress::Hung));
    assert_eq!((wake_ms, anew), (u64::MAX, 0));
    assert!(place.is_some(), "it is followed until it is gone");
}

#[test]
fn what_must_not_be_killed_never_hangs() {
    let (_, _, job) = ordered(None);
    let (progress, wake_ms, ..) = at(10_000_000, true, job);
    assert!(matches!(progress, Progress::Running));
    assert_eq!(wake_ms, u64::MAX);
}

#[test]
fn what_nobody_knows_of_is_ordered_three_times_more() {
    let (_, _, mut job) = ordered(Some(DEADLINE_MS));
    for lost in 1..=3 {
        let now_ms = 10_000 + lost * 100;
        let (progress, _, anew, place) = at(now_ms, false, job);
        assert!(matches!(progress, Progress::Running));
        job = place.unwrap();
        assert_eq!((anew, u64::from(job.lost), job.ordered_ms), (1, lost, now_ms));
    }
    let (progress, _, anew, place) = at(20_000, false, job);
    assert!(matches!(progress, Progress::Ended(_, Outcome::Failed(_))));
    assert_eq!((anew, place), (0, None));
}

#[test]
fn nothing_is_lost_in_the_turn_that_ordered_it() {
    let (settings, world, job) = ordered(Some(DEADLINE_MS));
    let turn = Turn::sample(&settings, &world);
    assert!(!turn.is_lost(None));
    assert!(!turn.is_lost(Some(&job)));
    let mut later = world.clone();
    later.seen.boot_ms += 1;
    assert!(Turn::sample(&settings, &later).is_lost(Some(&job)));
    let running = World { running: vec![job.effect.id], ..later.clone() };
    assert!(!Turn::sample(&settings, &running).is_lost(Some(&job)));
    let ended = vec![Ended { id: job.effect.id, outcome: Outcome::Done }];
    let ended = World { ended, ..later };
    assert!(!Turn::sample(&settings, &ended).is_lost(Some(&job)));
}

#[test]
fn what_nobody_needs_any_more_is_not_ordered_again() {
    let (settings, mut world, job) = ordered(Some(DEADLINE_MS));
    world.seen.boot_ms += 100;
    for (running, stays) in [(vec![], false), (vec![job.effect.id], true)] {
        let world = World { running, ..world.clone() };
        let mut turn = Turn::sample(&settings, &world);
        let mut place = Some(job.clone());
        turn.let_end(&mut place);
        assert_eq!((place.is_some(), turn.effects.len()), (stays, 0));
    }
}

#[test]
fn no_more_is_followed_than_anybody_reads() {
    let (settings, world) = (Settings::default(), World::default());
    let mut turn = Turn::sample(&settings, &world);
    for _ in 0..70 {
        turn.say(Level::Notice, None, String::new());
    }
    assert_eq!((turn.said.len(), turn.effects.len()), (64, 70));
}
