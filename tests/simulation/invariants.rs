//! What must never be: one function a rule. Each says what broke it, or nothing.

use xvdguard_logic::effect::Attribute;
use xvdguard_logic::policy::settings::MountRule;
use xvdguard_logic::policy::word::{Action, RootAction};
use xvdguard_logic::recovery::effects::{Announcement, Deed, Effect, Level, Target};
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::transitions::{Move, TRANSITIONS};
use xvdguard_logic::text::Text;

use crate::judge::{Judge, target};
use crate::machine::{Machine, Volume};
use crate::perform::Children;
use crate::script::{Event, Plan};

/// A rule about one effect at the moment when it is ordered.
pub type Rule = fn(&Judge, &Machine, &Children, &Effect) -> Option<String>;

/// All of them, by name.
pub const RULES: &[(&str, Rule)] = &[
    ("never_touches_the_living", never_touches_the_living),
    ("never_acts_before_the_disk_answers", never_acts_before_the_disk_answers),
    ("never_acts_before_it_settled", never_acts_before_it_settled),
    ("never_checks_or_mounts_what_is_not_free_and_the_same", never_what_is_not_free_and_the_same),
    ("never_acts_on_hold", never_acts_on_hold),
    ("never_reboots_over_budget", never_reboots_over_budget),
    ("never_reboots_before_the_minimum_uptime", never_reboots_early),
    ("never_stops_or_starts_a_target", never_a_target),
    ("never_stops_what_must_not_be_stopped", never_stops_the_forbidden),
    ("never_starts_users_before_the_probe", never_starts_users_before_the_probe),
    ("never_two_effects_of_one_thing", never_two_at_a_time),
    ("never_gives_fsck_a_deadline", never_gives_fsck_a_deadline),
    ("never_does_more_than_report", never_more_than_report),
    ("never_unmounts_root", never_unmounts_root),
    ("never_writes_back_after_a_failed_flush", never_writes_back_after_a_failed_flush),
    ("never_switches_off_without_trouble", never_switches_off_without_trouble),
    ("never_writes_while_the_storage_fails", never_writes_while_the_storage_fails),
    ("never_recovers_too_often", never_recovers_too_often),
    ("never_alerts_twice", never_alerts_twice),
    ("never_gives_one_name_to_two_effects", never_one_name_for_two),
];

pub fn volume<'a>(machine: &'a Machine, target: &Target) -> &'a Volume {
    &machine.volumes[machine.at(target.mount_point.as_str().unwrap())]
}

/// The volumes that an effect takes from somebody.
fn taken<'a>(machine: &'a Machine, effect: &Effect) -> Vec<&'a Volume> {
    match &effect.deed {
        Deed::StopUsers(target, _) | Deed::Umount(target) => vec![volume(machine, target)],
        _ => vec![],
    }
}

/// The disks that have to answer before an effect.
fn needed(machine: &Machine, deed: &Deed) -> Vec<Text> {
    let mut names = vec![Text::from("xvda")];
    match deed {
        Deed::StopUsers(target, _)
        | Deed::Umount(target)
        | Deed::CheckFree(target)
        | Deed::Fsck(target, _)
        | Deed::Mount(target, _) => names.push(Text::from(volume(machine, target).plan.disk)),
        Deed::Reboot(_) => {}
        _ => names.clear(),
    }
    names
}

/// Nothing is stopped, unmounted or rebooted for a file system that lives.
fn never_touches_the_living(
    _: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let is_living = |one: &&Volume| one.is_alive && one.mount.is_some() && !one.plan.is_undead;
    if let Deed::Reboot(ladder) = &effect.deed {
        let dead = |one: &Volume| !one.is_alive || one.plan.is_undead;
        let none = !machine.volumes.iter().any(dead);
        return none.then(|| format!("reboots although nothing is dead: {ladder:?}"));
    }
    let found = taken(machine, effect).into_iter().find(is_living)?;
    Some(format!("{} lives: {effect:?}", found.plan.mount_point))
}

fn never_acts_before_the_disk_answers(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let is_silent = |name: &Text| {
        let last_ms = judge.answers.get(name).and_then(|answers| answers.last_ms);
        last_ms.is_none_or(|last_ms| last_ms + 5_000 < machine.now_ms)
    };
    let name = needed(machine, &effect.deed).into_iter().find(is_silent)?;
    Some(format!("{name} does not answer: {effect:?}"))
}

fn never_acts_before_it_settled(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let settle = match effect.deed {
        Deed::Reboot(_) => judge.script.reboot_settle,
        Deed::StopUsers(..) | Deed::Fsck(..) | Deed::Mount(..) => judge.script.recovery_settle,
        _ => return None,
    };
    let is_new = |name: &Text| {
        let since_ms = judge.answers.get(name).and_then(|answers| answers.since_ms);
        since_ms.is_none_or(|since_ms| since_ms + settle > machine.now_ms)
    };
    let name = needed(machine, &effect.deed).into_iter().find(is_new)?;
    Some(format!("{name} has not answered for long enough: {effect:?}"))
}

fn never_what_is_not_free_and_the_same(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let (Deed::Fsck(target, _) | Deed::Mount(target, _)) = &effect.deed else { return None };
    let track = judge.tracks.get(&target.device).cloned().unwrap_or_default();
    let is_known = judge.known(effect.id).is_some();
    let is_right = track.is_free && track.is_verified && volume(machine, target).mount.is_none();
    (!is_right && !is_known).then(|| format!("{track:?}: {effect:?}"))
}

/// What took nothing from anybody yet does not begin; what did goes on to its end.
fn never_acts_on_hold(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let begins = match &effect.deed {
        Deed::StopUsers(..) | Deed::Reboot(_) | Deed::SetQueue(_) => true,
        Deed::Umount(target) => {
            judge.tracks.get(&target.device).is_none_or(|track| track.stopped.is_empty())
                && volume(machine, target).mount.is_some()
        }
        _ => false,
    };
    let is_known = judge.known(effect.id).is_some();
    (begins && !is_known && judge.hold.is_some()).then(|| format!("on hold: {effect:?}"))
}

fn never_reboots_over_budget(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::Reboot(_) = effect.deed else { return None };
    let guard = &judge.script.guard;
    let jumps = judge.script.events.iter().any(|(_, event)| matches!(event, Event::WallJump(_)));
    let bad = guard.earlier.iter().filter(|ended_well| !**ended_well).count();
    let spent = (bad + machine.reboots.len()) as u32;
    let known = guard.is_lasting
        && machine.records.len() > 1
        && (!guard.is_clone || !machine.reboots.is_empty());
    let is_spent = spent >= judge.script.settings.reboot.at_most.value && !jumps;
    (is_spent || !known).then(|| format!("{spent} spent, known {known}: {effect:?}"))
}

fn never_reboots_early(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let minimum_ms = judge.script.minimum_uptime;
    let is_early = machine.boot_ms() < minimum_ms;
    (matches!(effect.deed, Deed::Reboot(_)) && is_early)
        .then(|| format!("{} ms after boot: {effect:?}", machine.boot_ms()))
}

fn units(deed: &Deed) -> &[Text] {
    match deed {
        Deed::StopUsers(_, units) | Deed::StartUsers(_, units) => units,
        _ => &[],
    }
}

fn never_a_target(_: &Judge, _: &Machine, _: &Children, effect: &Effect) -> Option<String> {
    let is_target = |unit: &Text| {
        ![".service", ".socket", ".timer", ".path"].iter().any(|end| unit.contains(end))
    };
    units(&effect.deed).iter().find(|unit| is_target(unit)).map(|unit| format!("{unit}"))
}

fn never_stops_the_forbidden(
    judge: &Judge,
    _: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::StopUsers(_, units) = &effect.deed else { return None };
    let never = &judge.script.settings.recovery.never_stop.value;
    units.iter().find(|unit| never.contains(unit)).map(|unit| format!("{unit}"))
}

/// Users are started after a write has shown that the volume takes it; or where it was never
/// unmounted, so that everything is as it was.
fn never_starts_users_before_the_probe(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::StartUsers(target, units) = &effect.deed else { return None };
    let track = judge.tracks.get(&target.device).cloned().unwrap_or_default();
    let is_as_it_was = volume(machine, target).mount == track.stopped_on;
    let is_ours = units.iter().all(|unit| track.stopped.contains(unit));
    let is_right = is_ours && (track.takes_writes || is_as_it_was);
    let is_known = judge.known(effect.id).is_some();
    (!is_right && !is_known).then(|| format!("{track:?}: {effect:?}"))
}

fn never_two_at_a_time(
    _: &Judge,
    _: &Machine,
    children: &Children,
    effect: &Effect,
) -> Option<String> {
    let is_other = |deed: &Deed| match (&effect.deed, deed) {
        (Deed::AskDisk(one), Deed::AskDisk(other)) => one == other,
        (Deed::Reboot(_), Deed::Reboot(_)) => true,
        (one, other) => target(one).is_some() && target(one) == target(other),
    };
    let running = children.running.iter().map(|child| &child.effect);
    let mut running = running.filter(|other| other.id != effect.id);
    running.find(|other| is_other(&other.deed)).map(|other| format!("{other:?} and {effect:?}"))
}

fn never_gives_fsck_a_deadline(
    _: &Judge,
    _: &Machine,
    children: &Children,
    effect: &Effect,
) -> Option<String> {
    let is_killed = matches!(effect.deed, Deed::Fsck(..)) && effect.deadline_ms.is_some();
    let is_reboot = matches!(effect.deed, Deed::Reboot(_)) && never_kills_fsck(children).is_some();
    (is_killed || is_reboot).then(|| format!("{effect:?}"))
}

/// Whether a check runs that would be cut off at this moment.
pub fn never_kills_fsck(children: &Children) -> Option<String> {
    let mut running = children.running.iter();
    let found = running.find(|child| matches!(child.effect.deed, Deed::Fsck(..)))?;
    Some(format!("cuts off {:?}", found.effect))
}

/// Whether the policy, or what the volume is, lets nobody do more than report.
fn is_report_only(judge: &Judge, plan: &Plan) -> bool {
    let settings = &judge.script.settings;
    let rule: Option<&MountRule> = settings.recovery.mounts.get(&Text::from(plan.mount_point));
    let is_shared = rule.is_some_and(|rule| rule.shared.value);
    let action = rule.map_or(settings.recovery.default.value, |rule| rule.action.value);
    let is_burdened = rule.is_none() && !plan.burdens.is_empty();
    let is_unknown = plan.fstype == "reiserfs";
    plan.read_only || is_shared || is_burdened || is_unknown || action == Action::Report
}

fn never_more_than_report(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let is_root_reported = judge.script.settings.reboot.root.value == RootAction::Report;
    if let Deed::Reboot(ladder) = &effect.deed {
        let by_name = judge.script.settings.recovery.mounts.values();
        let none_named = !by_name.clone().any(|rule| rule.action.value == Action::Reboot);
        return (is_root_reported && none_named).then(|| format!("{ladder:?}"));
    }
    let found = taken(machine, effect).into_iter().find(|one| is_report_only(judge, &one.plan))?;
    Some(format!("{}: {effect:?}", found.plan.mount_point))
}

fn never_unmounts_root(
    _: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let found = taken(machine, effect).into_iter().find(|one| one.plan.mount_point == "/")?;
    Some(format!("{}: {effect:?}", found.plan.mount_point))
}

fn never_writes_back_after_a_failed_flush(
    _: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::SetQueue(setting) = &effect.deed else { return None };
    let mut disks = machine.disks.iter();
    let disk = disks.find(|disk| setting.disk == disk.name)?;
    let is_wrong = setting.switches_flushes_on() && disk.flush_failed;
    is_wrong.then(|| format!("{effect:?}"))
}

fn never_switches_off_without_trouble(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::SetQueue(setting) = &effect.deed else { return None };
    let is_off = setting.attribute == Attribute::WriteCache && setting.new == "write through";
    let is_harmless = !machine.kernel.aborts_on_failed_flush();
    let is_wrong = is_off && (is_harmless || !judge.troubled.contains(&setting.disk));
    is_wrong.then(|| format!("{effect:?}"))
}

/// A write to a living file system during errors could be what kills it.
fn never_writes_while_the_storage_fails(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::ProbeWrite(target) = &effect.deed else { return None };
    let volume = volume(machine, target);
    let disk = machine.disks.iter().find(|disk| disk.name == volume.plan.disk)?;
    let settle_ms = judge.script.recovery_settle;
    let is_recent = disk.failed_ms.is_some_and(|at_ms| at_ms + settle_ms > machine.now_ms);
    (volume.is_alive && is_recent).then(|| format!("{effect:?}"))
}

fn never_recovers_too_often(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::Umount(target) = &effect.deed else { return None };
    let since_ms = machine.now_ms.saturating_sub(judge.script.window);
    let track = judge.tracks.get(&target.device)?;
    let count = track.recoveries.iter().filter(|at_ms| **at_ms > since_ms).count() as u32;
    let is_known = judge.known(effect.id).is_some();
    let most = judge.script.settings.recovery.attempts.value;
    (!is_known && count >= most).then(|| format!("{count} within the window: {effect:?}"))
}

fn never_alerts_twice(
    judge: &Judge,
    machine: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let Deed::Announce(Announcement { level: Level::Alert, mount_point, text }) = &effect.deed
    else {
        return None;
    };
    let index = machine.at(mount_point.as_ref()?.as_str()?);
    let track = judge.tracks.get(&crate::view::device(index))?;
    let is_known = judge.known(effect.id).is_some();
    (track.alerts > 0 && !is_known).then(|| text.clone())
}

fn never_one_name_for_two(
    judge: &Judge,
    _: &Machine,
    _: &Children,
    effect: &Effect,
) -> Option<String> {
    let known = judge.known(effect.id)?;
    (*known != effect.deed).then(|| format!("{known:?} and {effect:?}"))
}

/// A memory is small, and comes back from the file as it was.
pub fn never_grows(memory: &Memory) -> Option<String> {
    let bytes = serde_json::to_vec(memory).unwrap();
    if bytes.len() > 64 * 1024 {
        return Some(format!("{} bytes", bytes.len()));
    }
    let back: Memory = serde_json::from_slice(&bytes).unwrap();
    (back != *memory).then(|| "it comes back as another one".into())
}

/// Every step of every volume is in the table.
pub fn is_in_table(step: &Move) -> Option<String> {
    let is_there = TRANSITIONS.iter().any(|(from, to, _)| (*from, *to) == (step.from, step.to));
    (!is_there).then(|| format!("{:?} → {:?}", step.from, step.to))
}
