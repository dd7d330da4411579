//! Planted bugs: the real decision, with what it sees, remembers or says bent. Each has a name and
//! the rule that has to catch it.

use std::collections::BTreeSet;

use xvdguard_logic::decide::{Decision, decide};
use xvdguard_logic::disk::WriteCache;
use xvdguard_logic::effect::{Attribute, QueueSetting};
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::{Deed, Effect, Level};
use xvdguard_logic::recovery::memory::{Memory, State, Step, VolumeMemory};
use xvdguard_logic::recovery::world::{DiskSeen, World};

use crate::run::Brain;

/// Name, decision, and the rule that catches it.
pub const BUGS: &[(&str, Brain, &str)] = &[
    ("forgets a hold that cannot be seen", forgets_the_hold, "never_acts_on_hold"),
    ("does not wait for the storage to settle", never_settles, "never_acts_before_it_settled"),
    ("tries again at once", tries_again_at_once, "never_acts_before_it_settled"),
    ("reboots at once", reboots_at_once, "never_reboots_before_the_minimum_uptime"),
    ("does not count reboots", never_counts, "never_reboots_over_budget"),
    (
        "does not ask whether the device is free",
        skips_free,
        "never_checks_or_mounts_what_is_not_free_and_the_same",
    ),
    (
        "does not compare the super block",
        skips_verify,
        "never_checks_or_mounts_what_is_not_free_and_the_same",
    ),
    ("believes every line at once", skips_confirm, "never_touches_the_living"),
    ("starts users without a probe", skips_probe, "never_starts_users_before_the_probe"),
    ("gives fsck a minute", kills_fsck, "never_gives_fsck_a_deadline"),
    ("orders everything twice", doubles, "never_two_effects_of_one_thing"),
    ("alerts again and again", alerts_again, "never_alerts_twice"),
    ("never alerts", never_alerts, "ends_healthy_or_handed_over"),
    (
        "forgets all when it is started anew",
        forgets_everything,
        "never_gives_one_name_to_two_effects",
    ),
    ("never gives up", never_gives_up, "never_recovers_too_often"),
    ("stops what must not be stopped", stops_all, "never_stops_what_must_not_be_stopped"),
    ("recovers what is only to be reported", recovers_all, "never_does_more_than_report"),
    ("does not ask the disks", believes_disks, "never_acts_before_the_disk_answers"),
    ("flushes again whatever failed", flushes_again, "never_writes_back_after_a_failed_flush"),
    (
        "believes what was said before it was there",
        believes_old_lines,
        "ends_healthy_or_handed_over",
    ),
    ("probes during an outage", probes_at_once, "never_writes_while_the_storage_fails"),
    ("does not miss a disk", misses_no_disk, "ends_healthy_or_handed_over"),
    ("takes a read-only disk for a sound one", sees_no_ro, "never_acts_before_the_disk_answers"),
    ("waits for ever for what is suspected", waits_for_ever, "ends_healthy_or_handed_over"),
];

fn with(
    change: impl Fn(&mut Settings),
    settings: &Settings,
    memory: Memory,
    world: &World,
) -> Decision {
    let mut settings = settings.clone();
    change(&mut settings);
    decide(&settings, memory, world)
}

fn forgets_the_hold(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    memory.hold.clone_from(&world.hold);
    decide(settings, memory, world)
}

fn never_settles(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let change = |settings: &mut Settings| {
        settings.recovery.settle.value = std::time::Duration::ZERO;
        settings.reboot.settle.value = std::time::Duration::ZERO;
    };
    with(change, settings, memory, world)
}

/// What a disk answered before a step failed on it still counts.
fn tries_again_at_once(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    let is_again = |volume: &&VolumeMemory| {
        matches!(volume.state, State::Recovering(Step::Free | Step::Fsck | Step::Mount))
    };
    let again = memory.volumes.iter().filter(is_again).flat_map(|volume| &volume.disks);
    let again: BTreeSet<_> = again.cloned().collect();
    for disk in memory.disks.iter_mut().filter(|disk| again.contains(&disk.name)) {
        disk.answering_since_ms = Some(0);
        disk.answered_ms = Some(world.seen.boot_ms);
    }
    decide(settings, memory, world)
}

fn believes_old_lines(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut world = world.clone();
    if memory.volumes.is_empty() {
        world.signs.next_sequence = 0;
    }
    decide(settings, memory, &world)
}

/// Every turn is the first of a suspicion.
fn waits_for_ever(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    for volume in memory.volumes.iter_mut().filter(|volume| volume.state == State::Erring) {
        volume.since_ms = world.seen.boot_ms;
    }
    decide(settings, memory, world)
}

/// What is gone still seems to be there.
fn misses_no_disk(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut world = world.clone();
    for name in memory.volumes.iter().flat_map(|volume| &volume.disks) {
        if !world.disks.iter().any(|disk| disk.name == *name) {
            world.disks.push(DiskSeen { name: name.clone(), ..DiskSeen::default() });
        }
    }
    decide(settings, memory, &world)
}

/// What is read-only seems to take writes.
fn sees_no_ro(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut world = world.clone();
    world.disks.iter_mut().for_each(|disk| disk.read_only = false);
    decide(settings, memory, &world)
}

fn reboots_at_once(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let change = |settings: &mut Settings| {
        settings.reboot.minimum_uptime.value = std::time::Duration::ZERO;
    };
    with(change, settings, memory, world)
}

fn never_counts(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut world = world.clone();
    world.guard.records.iter_mut().for_each(|record| record.ended_well = true);
    decide(settings, memory, &world)
}

/// Takes every volume from one step to another without having done it.
fn skips(from: Step, to: Step, settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    for volume in &mut memory.volumes {
        if volume.state == State::Recovering(from) && volume.job.is_none() {
            volume.state = State::Recovering(to);
        }
    }
    let mut decision = decide(settings, memory, world);
    for volume in &mut decision.memory.volumes {
        if volume.state == State::Recovering(from) {
            let job = volume.job.take();
            decision.effects.retain(|effect| job.as_ref().is_none_or(|job| *job.effect != *effect));
        }
    }
    decision.wake_ms = world.seen.boot_ms + 100;
    decision
}

fn skips_free(settings: &Settings, memory: Memory, world: &World) -> Decision {
    skips(Step::Free, Step::Fsck, settings, memory, world)
}

fn skips_verify(settings: &Settings, memory: Memory, world: &World) -> Decision {
    skips(Step::Verify, Step::List, settings, memory, world)
}

fn skips_confirm(settings: &Settings, memory: Memory, world: &World) -> Decision {
    skips(Step::Confirm, Step::Verify, settings, memory, world)
}

fn skips_probe(settings: &Settings, memory: Memory, world: &World) -> Decision {
    skips(Step::Probe, Step::Start, settings, memory, world)
}

fn kills_fsck(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut decision = decide(settings, memory, world);
    for effect in &mut decision.effects {
        if matches!(effect.deed, Deed::Fsck(..)) {
            effect.deadline_ms = Some(60_000);
        }
    }
    decision
}

fn doubles(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut decision = decide(settings, memory, world);
    let mut twice = decision.effects.clone();
    for effect in &mut twice {
        effect.id = decision.memory.next_effect;
        decision.memory.next_effect += 1;
    }
    decision.effects.extend(twice);
    decision
}

fn alerts_again(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    memory.volumes.iter_mut().for_each(|volume| volume.is_told = false);
    decide(settings, memory, world)
}

fn never_alerts(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut decision = decide(settings, memory, world);
    for effect in &mut decision.effects {
        if let Deed::Announce(announcement) = &mut effect.deed {
            announcement.level = Level::Notice;
        }
    }
    decision
}

/// What was ordered is not known any more once nothing of it runs.
fn forgets_everything(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    if world.ended.is_empty() && world.running.is_empty() {
        memory = Memory { boot_id: memory.boot_id, ..Memory::default() };
    }
    decide(settings, memory, world)
}

fn never_gives_up(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    for volume in &mut memory.volumes {
        volume.attempts.clear();
        if matches!(volume.state, State::GivenUp(_)) {
            volume.state = State::Aborted;
        }
    }
    decide(settings, memory, world)
}

fn stops_all(settings: &Settings, memory: Memory, world: &World) -> Decision {
    with(|settings| settings.recovery.never_stop.value.clear(), settings, memory, world)
}

fn recovers_all(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let change = |settings: &mut Settings| {
        settings.recovery.mounts.clear();
        settings.recovery.default.value = xvdguard_logic::policy::word::Action::Recover;
    };
    let mut world = world.clone();
    world.volumes.iter_mut().for_each(|volume| volume.burdens.clear());
    with(change, settings, memory, &world)
}

fn believes_disks(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    let now_ms = world.seen.boot_ms;
    for disk in &mut memory.disks {
        disk.answering_since_ms = Some(0);
        disk.answered_ms = Some(now_ms);
        disk.ask = None;
        disk.asked_ms = Some(now_ms);
    }
    decide(settings, memory, world)
}

/// Writes "write back" to whatever reads "write through".
fn flushes_again(settings: &Settings, memory: Memory, world: &World) -> Decision {
    let mut decision = decide(settings, memory, world);
    for disk in &world.seen.disks {
        if disk.write_cache() != WriteCache::Through {
            continue;
        }
        let setting = QueueSetting {
            disk: disk.name.clone(),
            attribute: Attribute::WriteCache,
            old: "write through".into(),
            new: "write back".into(),
            reason: "a bug".into(),
        };
        let id = decision.memory.next_effect;
        decision.memory.next_effect += 1;
        let deed = Deed::SetQueue(setting);
        decision.effects.push(Effect { id, deadline_ms: Some(1_000), deed });
    }
    decision
}

fn probes_at_once(settings: &Settings, mut memory: Memory, world: &World) -> Decision {
    for disk in &mut memory.disks {
        disk.failed_ms = None;
        disk.answering_since_ms = Some(0);
        disk.answered_ms = Some(world.seen.boot_ms);
    }
    memory.volumes.iter_mut().for_each(|volume| volume.is_suspect = true);
    decide(settings, memory, world)
}
