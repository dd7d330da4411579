//! The guard against loops of reboots: how many boots did not end well, and whether anybody can
//! know.
//!
//! A boot writes its record while root is healthy, and says at its end if that was good. So what
//! is counted is on the disk before anything fails, and a guest that forgets never reboots itself.

use alloc::vec::Vec;

use super::disks::{Names, answer_now};
use super::effects::{Deed, Outcome};
use super::memory::{BootRecord, DiskMemory, Memory, RecordMemory, State, VolumeMemory};
use super::role::is_root;
use super::turn::{Progress, Turn, ms};
use super::world::{Guard, World};
use crate::text::Text;

/// Why a reboot is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The records lie where they do not last, or could not be read.
    NotLasting,
    /// This boot's record is not on the disk: it would not be counted.
    NoRecord,
    /// There is no record of an earlier boot of this guest: nobody knows that they last.
    NoEarlier,
    /// So many boots did not end well.
    Spent(u32),
}

/// A clock that shows less than this was never set: 2020-01-01.
const SET_S: u64 = 1_577_836_800;

/// How far off the recorded begin of this boot may be before it is written anew: clocks are set
/// after boot.
const OFF_S: u64 = 600;

/// How often the record is written in one boot; a clock that is set again and again is no reason.
const ORDERS: u32 = 6;

/// A question and its answer lie within a moment.
const MOMENT_MS: u64 = 600;

/// How long the write may take.
const WRITE_MS: u64 = 30_000;

/// Whether one more reboot is allowed.
pub(crate) fn allows(turn: &Turn<'_>, record: &RecordMemory) -> Result<(), Refusal> {
    let Guard { records, is_lasting, .. } = &turn.world.guard;
    if !is_lasting {
        return Err(Refusal::NotLasting);
    }
    if record.written.as_ref().is_none_or(|written| written.ended_well) {
        return Err(Refusal::NoRecord);
    }
    let earlier: Vec<&BootRecord> =
        records.iter().filter(|record| is_earlier(turn.world, record)).collect();
    if earlier.is_empty() {
        return Err(Refusal::NoEarlier);
    }
    let window_s = ms(turn.settings.reboot.window.value) / 1000;
    let counts = |index: &usize| {
        // It ended when the next one began.
        let next = earlier.get(index + 1).map(|next| next.began_s);
        let end_s = next.unwrap_or_else(|| began_s(turn.world));
        !earlier[*index].ended_well && age_s(turn.world, end_s) < window_s
    };
    let spent = (0..earlier.len()).filter(counts).count();
    let spent = u32::try_from(spent).unwrap_or(u32::MAX);
    if spent >= turn.settings.reboot.at_most.value { Err(Refusal::Spent(spent)) } else { Ok(()) }
}

/// Whether it is of an earlier boot of this very guest: a clone has the records of its model.
fn is_earlier(world: &World, record: &BootRecord) -> bool {
    let domain = &world.domain;
    Some(&record.boot_id) != world.seen.boot_id.as_ref()
        && record.uuid == domain.uuid
        && record.machine_id == domain.machine_id
        && (domain.uuid.is_some() || domain.machine_id.is_some())
}

/// A time that cannot be (from the future, or of a clock that was never set) counts as now.
fn age_s(world: &World, at_s: u64) -> u64 {
    if at_s < SET_S { 0 } else { world.wall_s.saturating_sub(at_s) }
}

/// When this boot began, by the clock as it is now.
fn began_s(world: &World) -> u64 {
    world.wall_s.saturating_sub(world.seen.boot_ms / 1000)
}

/// Keeps this boot's record as it should be.
pub(crate) fn keep(turn: &mut Turn<'_>, memory: &mut Memory) {
    follow(turn, &mut memory.record);
    let is_quiet = memory.volumes.iter().all(|volume| volume.incident_ms.is_none());
    let may_write = turn.world.guard.is_lasting && !memory.is_rebooting && is_quiet;
    let is_free = memory.record.job.is_none() && memory.record.orders < ORDERS;
    let is_well = |volume: &&mut VolumeMemory| {
        is_root(volume) && volume.state == State::Healthy && volume.was_writable
    };
    let root = memory.volumes.iter_mut().find(is_well).filter(|_| may_write && is_free);
    let (Some(root), Some(boot_id)) = (root, turn.world.seen.boot_id.clone()) else { return };
    let wanted = wanted(turn, boot_id);
    if memory.record.written.as_ref().is_some_and(|written| !differs(written, &wanted)) {
        return;
    }
    // A write while the storage fails could be what kills root: it is asked first. Whoever is
    // asked to stop has no time for that.
    root.is_due = true;
    let names = Names::recovery(turn, &root.disks, &[]);
    let do_answer = answer_now(turn, &memory.disks, &names);
    let is_safe = do_answer
        && (memory.record.written.is_none() || takes_writes(root, &memory.disks, turn.now_ms));
    if turn.world.is_stopping || is_safe {
        root.is_due = false;
        memory.record.orders += u32::from(!wanted.ended_well);
        memory.record.job = Some(turn.order(Deed::WriteRecord(wanted), Some(WRITE_MS)));
    }
}

/// Whether a write went through a moment ago: an answer to a read does not say so. A record that
/// only corrects the time can wait for the next write of somebody else.
fn takes_writes(root: &VolumeMemory, disks: &[DiskMemory], now_ms: u64) -> bool {
    let mut below = disks.iter().filter(|disk| root.disks.contains(&disk.name));
    below.any(|disk| disk.wrote_ms.is_some_and(|at_ms| at_ms + MOMENT_MS >= now_ms))
}

fn wanted(turn: &Turn<'_>, boot_id: Text) -> BootRecord {
    BootRecord {
        boot_id,
        uuid: turn.world.domain.uuid.clone(),
        machine_id: turn.world.domain.machine_id.clone(),
        began_s: began_s(turn.world),
        ended_well: turn.world.is_stopping,
    }
}

fn differs(written: &BootRecord, wanted: &BootRecord) -> bool {
    written.ended_well != wanted.ended_well
        || written.began_s.abs_diff(wanted.began_s) > OFF_S
        || written.uuid != wanted.uuid
        || written.machine_id != wanted.machine_id
}

fn follow(turn: &mut Turn<'_>, record: &mut RecordMemory) {
    if turn.is_lost(record.job.as_ref()) {
        // What storage took when it was ordered it need not take now.
        record.job = None;
    }
    if let Progress::Ended(Deed::WriteRecord(written), outcome) = turn.follow(&mut record.job) {
        let is_written = matches!(outcome, Outcome::Done | Outcome::AlreadySo);
        record.written = is_written.then_some(written);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::settings::Settings;
    use crate::recovery::memory::DiskMemory;
    use alloc::vec;

    /// Today, and how long this boot lasts.
    const NOW_S: u64 = 1_790_000_000;
    const BOOT_S: u64 = 3_600;
    const DAY_S: u64 = 86_400;

    fn record(boot: &str, began_s: u64) -> BootRecord {
        let uuid = Some(Text::from("this guest"));
        BootRecord { boot_id: Text::from(boot), uuid, began_s, ..BootRecord::default() }
    }

    /// Whether a reboot is allowed behind these boots, by the defaults: two in a day.
    fn allowed(records: Vec<BootRecord>) -> Result<(), Refusal> {
        let mut world = World { wall_s: NOW_S, ..World::default() };
        world.seen.boot_ms = BOOT_S * 1000;
        world.seen.boot_id = Some(Text::from("now"));
        world.domain.uuid = Some(Text::from("this guest"));
        world.guard = Guard { records, is_lasting: true, oddity: None };
        let written = Some(record("now", NOW_S - BOOT_S));
        let settings = Settings::default();
        let turn = Turn::sample(&settings, &world);
        allows(&turn, &RecordMemory { written, ..RecordMemory::default() })
    }

    #[test]
    fn boots_count_that_ended_badly_within_the_window() {
        let (old, older) = (NOW_S - 2 * DAY_S, NOW_S - 3 * DAY_S);
        assert_eq!(allowed(vec![record("a", older), record("b", old)]), Ok(()), "until this boot");
        let (late, later) = (NOW_S - 5 * BOOT_S, NOW_S - 2 * BOOT_S);
        let spent = Err(Refusal::Spent(2));
        assert_eq!(allowed(vec![record("a", late), record("b", later)]), spent);
        let well = BootRecord { ended_well: true, ..record("b", later) };
        assert_eq!(allowed(vec![record("a", late), well]), Ok(()));
    }

    #[test]
    fn a_boot_ends_when_the_next_begins_and_the_last_when_this_one_did() {
        let mut long = World { wall_s: NOW_S, ..World::default() };
        long.seen.boot_ms = 2 * DAY_S * 1000;
        assert_eq!(began_s(&long), NOW_S - 2 * DAY_S);
        // Both began long ago; the second ended when this boot began, an hour ago.
        let began_s = NOW_S - 9 * DAY_S;
        let records = vec![record("a", began_s), record("b", NOW_S - DAY_S + BOOT_S)];
        assert_eq!(allowed(records), Err(Refusal::Spent(2)));
        let records = vec![record("a", began_s), record("b", NOW_S - DAY_S - 1)];
        assert_eq!(allowed(records), Ok(()), "the first ended longer ago than the window");
    }

    #[test]
    fn of_a_clock_that_was_never_set_every_boot_counts() {
        assert_eq!(allowed(vec![record("a", 7), record("b", 9)]), Err(Refusal::Spent(2)));
        let future_s = NOW_S + DAY_S;
        let records = vec![record("a", future_s), record("b", future_s)];
        assert_eq!(allowed(records), Err(Refusal::Spent(2)));
    }

    #[test]
    fn without_a_record_that_lasts_nothing_is_allowed() {
        assert_eq!(allowed(Vec::new()), Err(Refusal::NoEarlier));
        let clone = BootRecord { uuid: Some(Text::from("its model")), ..record("a", NOW_S) };
        assert_eq!(allowed(vec![clone]), Err(Refusal::NoEarlier));
        assert_eq!(allowed(vec![record("now", NOW_S)]), Err(Refusal::NoEarlier));
    }

    #[test]
    fn a_boot_that_is_not_counted_allows_no_reboot() {
        let mut world = World::default();
        let settings = Settings::default();
        let with = |world: &World, written: Option<BootRecord>| {
            let record = RecordMemory { written, ..RecordMemory::default() };
            allows(&Turn::sample(&settings, world), &record)
        };
        let written = record("now", NOW_S);
        assert_eq!(with(&world, Some(written.clone())), Err(Refusal::NotLasting));
        world.guard.is_lasting = true;
        assert_eq!(with(&world, None), Err(Refusal::NoRecord));
        let ended = BootRecord { ended_well: true, ..written };
        assert_eq!(with(&world, Some(ended)), Err(Refusal::NoRecord));
    }

    #[test]
    fn a_record_is_wrong_where_a_clock_was_set_or_another_guest_wrote_it() {
        let written = record("now", NOW_S);
        let is_wrong = |wanted: BootRecord| differs(&written, &wanted);
        assert!(!is_wrong(written.clone()));
        assert!(!is_wrong(record("now", NOW_S - 600)));
        assert!(is_wrong(record("now", NOW_S - 601)));
        assert!(is_wrong(BootRecord { ended_well: true, ..written.clone() }));
        assert!(is_wrong(BootRecord { uuid: None, ..written.clone() }));
        assert!(is_wrong(BootRecord { machine_id: Some("another".into()), ..written.clone() }));
    }

    /// Whether this boot's record is written now: what of it is written already, by how much its
    /// begin is off, whether root's disk answered in this moment and took a write within another,
    /// and whether the daemon is asked to stop.
    fn writes(off_s: Option<u64>, answers: bool, wrote_ms_ago: u64, stops: bool) -> bool {
        let now_ms = BOOT_S * 1000;
        let mut world = World { wall_s: NOW_S, is_stopping: stops, ..World::default() };
        world.seen.boot_ms = now_ms;
        world.seen.boot_id = Some("now".into());
        world.domain.uuid = Some("this guest".into());
        world.guard.is_lasting = true;
        let disk = DiskMemory {
            name: "xvda".into(),
            answering_since_ms: Some(0),
            answered_ms: Some(if answers { now_ms } else { now_ms - 1 }),
            wrote_ms: Some(now_ms - wrote_ms_ago),
            ..DiskMemory::default()
        };
        let mut root = VolumeMemory { was_writable: true, ..VolumeMemory::default() };
        root.target.mount_point = "/".into();
        root.disks = vec!["xvda".into()];
        let written = off_s.map(|off_s| record("now", NOW_S - BOOT_S - off_s));
        let record = RecordMemory { written, ..RecordMemory::default() };
        let (disks, volumes) = (vec![disk], vec![root]);
        let mut memory = Memory { disks, volumes, record, ..Memory::default() };
        let settings = Settings::default();
        let mut turn = Turn::sample(&settings, &world);
        keep(&mut turn, &mut memory);
        let is_ordered = memory.record.job.is_some();
        assert_eq!(turn.effects.len(), usize::from(is_ordered));
        is_ordered
    }

    #[test]
    fn a_record_is_written_when_root_answers_and_kept_while_it_is_right() {
        assert!(writes(None, true, 5_000, false));
        assert!(!writes(None, false, 0, false), "its disk is asked first");
        assert!(!writes(Some(0), true, 0, false));
        // One that is only corrected waits for somebody else's write.
        assert!(writes(Some(601), true, 600, false));
        assert!(!writes(Some(601), true, 601, false));
        assert!(!writes(Some(601), false, 0, false));
        assert!(writes(Some(0), false, 5_000, true), "it ended well");
    }
}
