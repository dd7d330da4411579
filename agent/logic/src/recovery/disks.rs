//! Disks: whether they move, fail, answer; and when they are asked.
//!
//! A stall is told from load by completions: a queue that is full for minutes and moves is load.
//! A disk is asked only while somebody waits for it, one question at a time.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::effects::{Deed, Outcome};
use super::memory::{Care, DiskMemory, Job, Memory, State, Step, VolumeMemory};
use super::role::is_root;
use super::signs::SignKind;
use super::turn::{Progress, Turn, ms};
use super::world::{DiskSeen, World};
use crate::disk::Disk;
use crate::order;
use crate::text::Text;

/// How long nothing may be completed before that is a stall. The slowest storage that works
/// answers within seconds; a path that fails over needs longer, and that is one.
const STALL_MS: u64 = 30_000;

/// How long one question may take: less than what its answer is good for would doubt every disk.
const ASK_MS: u64 = 5_000;

/// An answer is good for so long: while a disk is asked it is asked twice in that time.
const FRESH_MS: u64 = 4_000;

/// How often a disk is asked, by how long somebody has waited for it: at first so often that no
/// recovery is late, later, while it is silent, so that no log is filled.
fn interval_ms(waiting_ms: u64, is_answering: bool) -> u64 {
    match waiting_ms {
        0..=60_000 => 500,
        60_001..=600_000 => 1_000,
        _ if is_answering => 1_000,
        _ => 5_000,
    }
}

impl DiskMemory {
    /// Whether it has answered for that long, answered just now, and gave no error meanwhile.
    pub(crate) fn is_settled(&self, settle_ms: u64, now_ms: u64) -> bool {
        let since = |at_ms: Option<u64>| at_ms.is_some_and(|at_ms| at_ms + settle_ms <= now_ms);
        let is_fresh = self.answered_ms.is_some_and(|at_ms| at_ms + FRESH_MS >= now_ms);
        let is_quiet = self.failed_ms.is_none() || since(self.failed_ms);
        !self.is_stalled
            && !self.is_read_only
            && is_fresh
            && is_quiet
            && since(self.answering_since_ms)
    }

    /// When it will have settled, if nothing happens.
    pub(crate) fn settles_ms(&self, settle_ms: u64) -> Option<u64> {
        let since = self.answering_since_ms?.max(self.failed_ms.unwrap_or(0));
        Some(since + settle_ms)
    }

    /// Its answers so far count for nothing.
    pub(crate) fn doubt(&mut self) {
        self.answering_since_ms = None;
        self.answered_ms = None;
    }

    /// There may be another backend behind it.
    fn reconnects(&mut self) {
        self.doubt();
        self.care = Care::Reconnected(0);
    }
}

/// The guest runs in another domain, or its clocks jumped, as after hibernation or when a snapshot
/// was restored: another backend may have given the keys that were known.
pub(crate) fn follow_guest(memory: &mut Memory, world: &World) {
    let (before, now) = (memory.domain.id, world.domain.id);
    let is_another = before.is_some() && now.is_some() && before != now;
    if is_another || memory.clocks.is_some_and(|before| world.clocks().has_jumped(before)) {
        memory.disks.iter_mut().for_each(DiskMemory::reconnects);
    }
    memory.domain = world.domain.clone();
    if memory.clocks.is_none_or(|before| world.clocks().differ(before)) {
        memory.clocks = Some(world.clocks());
    }
}

/// Brings memory and sight together: disks that came, disks that went, counters.
pub(crate) fn update(turn: &mut Turn<'_>, disks: &mut Vec<DiskMemory>, memory_is_new: bool) {
    let world = turn.world;
    let is_seen = |disk: &DiskMemory| world.disks.iter().any(|seen| seen.name == disk.name);
    disks.retain(|disk| is_seen(disk) || disk.ask.is_some() || disk.flush.is_some());
    for seen in &world.disks {
        let vbd = world.seen.disk(&seen.name);
        match disks.iter_mut().find(|disk| disk.name == seen.name) {
            Some(disk) => look(turn, disk, seen, vbd),
            None => {
                let care = if memory_is_new { Care::None } else { Care::Reconnected(0) };
                disks.push(DiskMemory { care, ..first_sight(world, seen, vbd) });
            }
        }
    }
    for disk in disks.iter_mut() {
        follow_question(turn, disk);
    }
}

fn first_sight(world: &World, seen: &DiskSeen, vbd: Option<&Disk>) -> DiskMemory {
    let failures = failures(world, &seen.name);
    DiskMemory {
        name: seen.name.clone(),
        connection: vbd.map(Disk::connection).unwrap_or_default(),
        advertised: vbd.and_then(|disk| disk.vbd.as_ref()?.advertised(world.seen.kernel)),
        completed: seen.completed,
        written: seen.written,
        is_read_only: seen.read_only,
        failures,
        // Not in this very turn: nobody knows when.
        failed_ms: (failures > 0).then_some(world.seen.boot_ms.saturating_sub(1)),
        ..DiskMemory::default()
    }
}

/// Lines about requests of this disk that failed.
fn failures(world: &World, name: &Text) -> u64 {
    let signs = world.signs.of(Some(name), 0);
    signs.filter(|sign| sign.kind == SignKind::RequestFailed).map(|sign| sign.count).sum()
}

fn look(turn: &mut Turn<'_>, disk: &mut DiskMemory, seen: &DiskSeen, vbd: Option<&Disk>) {
    let failures = failures(turn.world, &disk.name);
    if failures > disk.failures {
        disk.failed_ms = Some(turn.now_ms);
        disk.doubt();
    }
    disk.failures = failures;
    let connection = vbd.map(Disk::connection).unwrap_or_default();
    if connection != disk.connection {
        disk.reconnects();
        disk.connection = connection;
    }
    disk.is_read_only = seen.read_only;
    let is_moving = seen.in_flight == 0 || seen.completed != disk.completed;
    disk.completed = seen.completed;
    if seen.written > disk.written {
        disk.wrote_ms = Some(turn.now_ms);
    }
    disk.written = seen.written;
    if is_moving {
        disk.unmoved_since_ms = None;
        disk.is_stalled = false;
        return;
    }
    let since_ms = *disk.unmoved_since_ms.get_or_insert(turn.now_ms);
    if turn.now_ms >= since_ms + STALL_MS {
        disk.is_stalled = true;
        disk.doubt();
    } else {
        turn.wake(since_ms + STALL_MS);
    }
}

fn follow_question(turn: &mut Turn<'_>, disk: &mut DiskMemory) {
    match turn.follow(&mut disk.ask) {
        Progress::Idle | Progress::Running => {}
        // It answers reads, and takes no write.
        Progress::Ended(..) if disk.is_read_only => disk.doubt(),
        Progress::Ended(_, Outcome::Done | Outcome::AlreadySo) => {
            // Nobody asked for a while: what was in between is not known.
            let is_late = |at_ms: u64| at_ms + 2 * FRESH_MS < turn.now_ms;
            if disk.answered_ms.is_none_or(is_late) {
                disk.answering_since_ms = Some(turn.now_ms);
            }
            disk.answered_ms = Some(turn.now_ms);
        }
        Progress::Hung | Progress::Ended(..) => disk.doubt(),
    }
}

/// What was done to a volume and met a failing disk counts for more than what the disk answered
/// before.
pub(crate) fn doubt(world: &World, volumes: &[VolumeMemory], disks: &mut [DiskMemory]) {
    let has_failed = |job: &Job| {
        let mut ends = world.ended.iter().filter(|ended| ended.id == job.effect.id);
        ends.any(|ended| ended.outcome.is_storage())
    };
    let failed = volumes.iter().filter(|volume| volume.job.as_ref().is_some_and(has_failed));
    for name in failed.flat_map(|volume| &volume.disks) {
        disks.iter_mut().filter(|disk| disk.name == *name).for_each(DiskMemory::doubt);
    }
}

/// Asks every disk that somebody waits for. The others are forgotten: an answer of then is none.
pub(crate) fn ask(turn: &mut Turn<'_>, memory: &mut Memory) {
    let waiting = waited_for(turn, &memory.volumes, &memory.disks);
    let first_ms = memory.volumes.iter().filter(|volume| waits(volume)).map(|one| one.since_ms);
    let since_ms = first_ms.max().unwrap_or(turn.now_ms);
    let waiting_ms = turn.now_ms.saturating_sub(since_ms);
    for disk in &mut memory.disks {
        if !waiting.contains(&disk.name) {
            disk.doubt();
            continue;
        }
        if disk.ask.is_some() {
            continue;
        }
        let interval_ms = interval_ms(waiting_ms, disk.answering_since_ms.is_some());
        let next_ms = disk.asked_ms.map_or(0, |asked_ms| asked_ms + interval_ms);
        if next_ms <= turn.now_ms || memory.volumes.iter().any(|volume| hurries(volume, disk)) {
            disk.ask = Some(turn.order(Deed::AskDisk(disk.name.clone()), Some(ASK_MS)));
            disk.asked_ms = Some(turn.now_ms);
        } else {
            turn.wake(next_ms);
        }
    }
}

/// Whether a volume waits for nothing but an answer of this disk, which was not asked since: it is
/// mounted again, and its users wait for the write that shows it.
fn hurries(volume: &VolumeMemory, disk: &DiskMemory) -> bool {
    volume.state == State::Recovering(Step::Probe)
        && volume.job.is_none()
        && volume.disks.contains(&disk.name)
        && disk.asked_ms < Some(volume.since_ms)
}

/// The disks that somebody waits for, and those of root with them: nothing can be executed while
/// root is silent.
fn waited_for(turn: &Turn<'_>, volumes: &[VolumeMemory], disks: &[DiskMemory]) -> BTreeSet<Text> {
    // Before the minimum uptime there is nothing to ask for but the last answers.
    let reboot = &turn.settings.reboot;
    let early_ms = ms(reboot.minimum_uptime.value).saturating_sub(2 * ms(reboot.settle.value));
    let is_early = turn.now_ms < early_ms;
    let waits = |volume: &VolumeMemory| {
        let is_idle = turn.is_held || (volume.by_reboot && is_early);
        waits(volume) && !(is_idle && volume.state == State::Aborted)
    };
    let sheltered = disks.iter().filter(|disk| matches!(disk.care, Care::Sheltered));
    let mut wanted: BTreeSet<Text> = order::gather(sheltered.map(|disk| disk.name.clone()));
    if volumes.iter().any(&waits) {
        let is_reboot = volumes.iter().any(|volume| waits(volume) && volume.by_reboot);
        let is_concerned = |volume: &&VolumeMemory| is_reboot || waits(volume) || is_root(volume);
        let concerned = volumes.iter().filter(is_concerned);
        wanted.extend(concerned.flat_map(|volume| volume.disks.iter().cloned()));
    }
    wanted
}

/// Whether something is to be done about this volume once its disks answer.
fn waits(volume: &VolumeMemory) -> bool {
    match volume.state {
        State::Healthy => volume.is_due,
        State::Stalled | State::GivenUp(_) => false,
        State::Erring => volume.is_suspect,
        State::Recovering(step) => !matches!(step, Step::Start | Step::PutBack),
        State::Aborted | State::RebootPending(_) => true,
    }
}

/// Whether all of these disks have answered for `settle`. Wakes the loop when that may be so.
pub(crate) fn are_settled(turn: &mut Turn<'_>, disks: &[DiskMemory], names: &Names<'_>) -> bool {
    let settle_ms = names.settle_ms;
    let all = names.own.iter().chain(names.others);
    let mut settled = true;
    for name in all {
        match disks.iter().find(|disk| disk.name == *name) {
            Some(disk) if disk.is_settled(settle_ms, turn.now_ms) => {}
            Some(disk) => {
                settled = false;
                if let Some(at_ms) = disk.settles_ms(settle_ms).filter(|at_ms| *at_ms > turn.now_ms)
                {
                    turn.wake(at_ms);
                }
            }
            None => settled = false,
        }
    }
    settled
}

/// The same, and its own answered a moment ago: what is written now to a volume that may live
/// shall not be the first to meet the next outage.
pub(crate) fn answer_now(turn: &mut Turn<'_>, disks: &[DiskMemory], names: &Names<'_>) -> bool {
    let now_ms = turn.now_ms;
    let answers = |disk: &DiskMemory| disk.answered_ms == Some(now_ms);
    let own = |name: &Text| disks.iter().find(|disk| disk.name == *name).is_some_and(answers);
    are_settled(turn, disks, names) && names.own.iter().all(own)
}

/// Which disks, and how long they must have answered.
pub(crate) struct Names<'a> {
    /// Those of the volume.
    pub own: &'a [Text],
    /// Those that count as well: of root, or of all volumes.
    pub others: &'a [Text],
    /// In milliseconds.
    pub settle_ms: u64,
}

impl<'a> Names<'a> {
    /// Settled as `[recovery]` says.
    pub(crate) fn recovery(turn: &Turn<'_>, own: &'a [Text], others: &'a [Text]) -> Names<'a> {
        Names { own, others, settle_ms: ms(turn.settings.recovery.settle.value) }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::super::effects::Ended;
    use super::super::world::{Clocks, Domain};
    use super::*;

    /// What a disk that had answered comes to.
    fn after(before: (Option<u32>, Clocks), now: &World) -> (Care, Option<u64>) {
        let known = DiskMemory { answered_ms: Some(1), ..DiskMemory::default() };
        let domain = Domain { id: before.0, ..Domain::default() };
        let clocks = Some(before.1);
        let mut memory = Memory { disks: vec![known], domain, clocks, ..Memory::default() };
        follow_guest(&mut memory, now);
        assert_eq!(memory.domain.id, now.domain.id);
        assert!(!memory.clocks.unwrap().differ(now.clocks()));
        (memory.disks[0].care, memory.disks[0].answered_ms)
    }

    /// Since when a disk that is read-only or not counts as answering once it answered.
    fn answered(read_only: bool) -> Option<u64> {
        let settings = crate::policy::settings::Settings::default();
        let seen = DiskSeen { name: "xvda".into(), read_only, ..DiskSeen::default() };
        let mut world = World { disks: vec![seen], ..World::default() };
        world.seen.boot_ms = 9_000;
        let mut turn = Turn::sample(&settings, &world);
        let job = turn.order(Deed::AskDisk("xvda".into()), None);
        world.ended.push(Ended { id: job.effect.id, outcome: Outcome::Done });
        let known = DiskMemory { name: "xvda".into(), ask: Some(job), ..DiskMemory::default() };
        let mut disks = vec![known];
        update(&mut Turn::sample(&settings, &world), &mut disks, false);
        assert_eq!(disks[0].is_settled(0, 9_000), !read_only);
        disks[0].answering_since_ms
    }

    #[test]
    fn a_disk_is_known_to_be_read_only_from_its_first_sight_on() {
        let settings = crate::policy::settings::Settings::default();
        for read_only in [false, true] {
            let seen = DiskSeen { name: "xvda".into(), read_only, ..DiskSeen::default() };
            let world = World { disks: vec![seen], ..World::default() };
            let mut disks = Vec::new();
            update(&mut Turn::sample(&settings, &world), &mut disks, true);
            assert_eq!(disks[0].is_read_only, read_only);
        }
    }

    #[test]
    fn a_disk_that_takes_no_write_does_not_answer() {
        assert_eq!(answered(false), Some(9_000));
        assert_eq!(answered(true), None);
    }

    fn world(id: Option<u32>, clocks: Clocks) -> World {
        let domain = Domain { id, ..Domain::default() };
        let wall_s = clocks.wall_ahead_s.unsigned_abs();
        World { domain, wall_s, slept_ms: clocks.slept_ms, ..World::default() }
    }

    #[test]
    fn another_domain_is_another_backend() {
        let still = Clocks::default();
        let came = after((Some(3), still), &world(Some(4), still));
        assert_eq!(came, (Care::Reconnected(0), None));
        // Nobody knows where it is, or was.
        for (before, now) in [(Some(3), Some(3)), (None, Some(3)), (Some(3), None)] {
            assert_eq!(after((before, still), &world(now, still)), (Care::None, Some(1)));
        }
    }

    #[test]
    fn after_a_jump_of_a_clock_there_may_be_another_backend() {
        let clocks = |wall_ahead_s, slept_ms| Clocks { wall_ahead_s, slept_ms };
        let before = clocks(1_700_000_000, 5_000);
        let came = |now| after((None, before), &world(None, now));
        for jumped in
            [clocks(1_700_000_061, 5_000), clocks(60, 5_000), clocks(1_700_000_000, 6_001)]
        {
            assert_eq!(came(jumped), (Care::Reconnected(0), None), "{jumped:?}");
        }
        for kept in [before, clocks(1_699_999_940, 5_000), clocks(1_700_000_001, 6_000)] {
            assert_eq!(came(kept), (Care::None, Some(1)), "{kept:?}");
        }
    }

    /// Since when a disk has not moved after these looks, and whether it is stalled: when, requests
    /// under way, requests completed.
    fn moved(looks: &[(u64, u64, u64)]) -> (Option<u64>, bool) {
        let settings = crate::policy::settings::Settings::default();
        let mut disks = vec![];
        for (boot_ms, in_flight, completed) in looks.iter().copied() {
            let name = Text::from("xvda");
            let seen = DiskSeen { name, in_flight, completed, ..DiskSeen::default() };
            let mut world = World { disks: vec![seen], ..World::default() };
            world.seen.boot_ms = boot_ms;
            update(&mut Turn::sample(&settings, &world), &mut disks, true);
        }
        (disks[0].unmoved_since_ms, disks[0].is_stalled)
    }

    #[test]
    fn a_stall_is_counted_from_the_first_look_that_sees_nothing_move() {
        let (first, second) = ((1_000, 1, 5), (2_000, 1, 5));
        let (late, end) = ((2_000 + STALL_MS - 1, 1, 5), (2_000 + STALL_MS, 1, 5));
        assert_eq!(moved(&[first]), (None, false));
        assert_eq!(moved(&[first, second]), (Some(2_000), false));
        assert_eq!(moved(&[first, second, late]), (Some(2_000), false));
        assert_eq!(moved(&[first, second, late, end]), (Some(2_000), true));
        // Load moves, and a disk without requests waits for nobody.
        assert_eq!(moved(&[first, (2_000, 1, 6)]), (None, false));
        assert_eq!(moved(&[(1_000, 0, 5), (2_000, 0, 5)]), (None, false));
        assert_eq!(moved(&[first, second, end, (2_001 + STALL_MS, 1, 6)]), (None, false));
    }

    #[test]
    fn a_volume_that_was_just_mounted_waits_for_no_interval() {
        let settings = crate::policy::settings::Settings::default();
        let mut world = World::default();
        world.seen.boot_ms = 10_000;
        let asks = |asked_ms, state, since_ms| {
            let disks = vec![Text::from("xvdb")];
            let volumes = vec![VolumeMemory { state, since_ms, disks, ..VolumeMemory::default() }];
            let name = Text::from("xvdb");
            let disks = vec![DiskMemory { name, asked_ms, ..DiskMemory::default() }];
            let mut memory = Memory { volumes, disks, ..Memory::default() };
            let mut turn = Turn::sample(&settings, &world);
            ask(&mut turn, &mut memory);
            (memory.disks[0].asked_ms == Some(10_000), turn.wake_ms)
        };
        let (probe, fsck) = (State::Recovering(Step::Probe), State::Recovering(Step::Fsck));
        assert_eq!(asks(Some(9_800), fsck, 9_900), (false, 10_300));
        assert!(asks(Some(9_800), probe, 9_900).0);
        assert_eq!(asks(Some(9_950), probe, 9_900), (false, 10_450), "it was asked since");
        assert!(asks(Some(9_500), fsck, 9_000).0);
        assert!(asks(None, State::Aborted, 10_000).0);
        assert_eq!(asks(Some(1), State::Healthy, 9_000), (false, u64::MAX));
    }

    /// Whether the disk of a volume is asked, at this time since boot.
    fn is_asked(volume: VolumeMemory, is_held: bool, now_ms: u64) -> bool {
        let settings = crate::policy::settings::Settings::default();
        let mut world = World::default();
        world.seen.boot_ms = now_ms;
        let mut turn = Turn::sample(&settings, &world);
        turn.is_held = is_held;
        let volume = VolumeMemory { disks: vec![Text::from("xvdb")], ..volume };
        !waited_for(&turn, &[volume], &[]).is_empty()
    }

    #[test]
    fn a_disk_is_asked_while_somebody_waits_for_it_and_may_act() {
        const LATE_MS: u64 = 3_600_000;
        let volume = |state| VolumeMemory { state, ..VolumeMemory::default() };
        let aborted = || volume(State::Aborted);
        assert!(!is_asked(volume(State::Healthy), false, LATE_MS));
        assert!(!is_asked(volume(State::Stalled), false, LATE_MS));
        assert!(is_asked(aborted(), false, 1_000));
        assert!(!is_asked(aborted(), true, LATE_MS), "on hold");
        let by_reboot = || VolumeMemory { by_reboot: true, ..aborted() };
        assert!(!is_asked(by_reboot(), false, 1_000), "long before the minimum uptime");
        assert!(is_asked(by_reboot(), false, LATE_MS));
        // What was begun goes on.
        assert!(is_asked(volume(State::Recovering(Step::Verify)), true, LATE_MS));
    }
}
