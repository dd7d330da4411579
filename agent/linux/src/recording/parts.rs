//! A turn in parts, each a line of its own where it changed: a volume, a mount, a disk.
//!
//! Lists are cut into their elements; a whole number stands for the list itself. Nothing is left
//! out, so that what is put together again is what was taken apart.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xvdguard_logic::block::{BlockDevice, BlockTree};
use xvdguard_logic::kernel_log::blkfront::Message;
use xvdguard_logic::kernel_log::{KernelLog, LogFact};
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::recovery::effects::{EffectId, Ended};
use xvdguard_logic::recovery::memory::Memory;
use xvdguard_logic::recovery::world::{Domain, Guard, Hold, Init, Release, World};
use xvdguard_logic::text::Text;
use xvdguard_logic::xen::XenMode;

use super::Asked;
use crate::whole_file::{from_bytes, to_bytes};

/// Names of the parts.
pub const NAMES: [&str; 15] = [
    "settings",
    "memory",
    "memory.volumes",
    "memory.disks",
    "world",
    "signs",
    "seen.disks",
    "seen.block",
    "seen.mounts",
    "seen.volumes",
    "seen.log",
    "reports",
    "volumes",
    "disks",
    "boots",
];

/// Which part: the place of its name, and 0 for the whole of it or the number of elements, or the
/// number of an element from 1.
pub type Key = (usize, usize);

/// The parts of one turn, as JSON.
pub type Parts = BTreeMap<Key, Vec<u8>>;

/// What is small of a world, and changes in most turns.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Head {
    boot_ms: u64,
    boot_id: Option<Text>,
    xen: XenMode,
    kernel: Option<KernelVersion>,
    command_line: Text,
    complete_since_ms: Option<u64>,
    understood: u64,
    oddities: Vec<String>,
    wall_s: u64,
    #[serde(default)]
    slept_ms: u64,
    domain: Domain,
    init: Init,
    hold: Option<Hold>,
    releases: Vec<Release>,
    is_lasting: bool,
    oddity: Option<String>,
    ended: Vec<Ended>,
    running: Vec<EffectId>,
    chance: u64,
    is_stopping: bool,
}

/// Takes a turn apart.
pub fn take_apart(asked: Asked<'_>, each: &mut dyn FnMut(Key, Vec<u8>)) {
    let Asked { settings, memory, world } = asked;
    let seen = &world.seen;
    each((0, 0), to_bytes(settings));
    each((1, 0), to_bytes(&without_lists(memory)));
    list(2, &memory.volumes, each);
    list(3, &memory.disks, each);
    each((4, 0), to_bytes(&head(world)));
    each((5, 0), to_bytes(&world.signs));
    list(6, &seen.disks, each);
    list(7, seen.block.names().filter_map(|name| seen.block.by_name(name)), each);
    list(8, &seen.mounts, each);
    list(9, &seen.volumes, each);
    // What a line says is read from it again.
    let lines = seen.log.facts.iter().map(|fact| (fact.boot_ms, &fact.line));
    list(10, lines, each);
    list(11, &world.reports, each);
    list(12, &world.volumes, each);
    list(13, &world.disks, each);
    list(14, &world.guard.records, each);
}

fn list<T: Serialize>(
    name: usize,
    all: impl IntoIterator<Item = T>,
    each: &mut dyn FnMut(Key, Vec<u8>),
) {
    let mut count = 0;
    for one in all {
        count += 1;
        each((name, count), to_bytes(&one));
    }
    each((name, 0), to_bytes(&count));
}

/// Everything but volumes and disks.
fn without_lists(memory: &Memory) -> Memory {
    Memory {
        boot_id: memory.boot_id.clone(),
        next_effect: memory.next_effect,
        next_sequence: memory.next_sequence,
        domain: memory.domain.clone(),
        clocks: memory.clocks,
        hold: memory.hold.clone(),
        released: memory.released.clone(),
        volumes: Vec::new(),
        disks: Vec::new(),
        record: memory.record.clone(),
        reboot: memory.reboot.clone(),
        is_rebooting: memory.is_rebooting,
        jitter_ms: memory.jitter_ms,
        said: memory.said.clone(),
    }
}

fn head(world: &World) -> Head {
    let seen = &world.seen;
    Head {
        boot_ms: seen.boot_ms,
        boot_id: seen.boot_id.clone(),
        xen: seen.xen,
        kernel: seen.kernel,
        command_line: seen.command_line.clone(),
        complete_since_ms: seen.log.complete_since_ms,
        understood: seen.log.understood,
        oddities: seen.oddities.clone(),
        wall_s: world.wall_s,
        slept_ms: world.slept_ms,
        domain: world.domain.clone(),
        init: world.init,
        hold: world.hold.clone(),
        releases: world.releases.clone(),
        is_lasting: world.guard.is_lasting,
        oddity: world.guard.oddity.clone(),
        ended: world.ended.clone(),
        running: world.running.clone(),
        chance: world.chance,
        is_stopping: world.is_stopping,
    }
}

/// Puts settings together again; an error names the part that cannot be read.
pub fn one<T: DeserializeOwned>(parts: &Parts, name: usize) -> Result<T, String> {
    read(parts, (name, 0))
}

/// Puts what is kept together again.
pub fn memory(parts: &Parts) -> Result<Memory, String> {
    let memory: Memory = one(parts, 1)?;
    Ok(Memory { volumes: elements(parts, 2)?, disks: elements(parts, 3)?, ..memory })
}

/// Puts a world together again.
pub fn world(parts: &Parts) -> Result<World, String> {
    let head: Head = one(parts, 4)?;
    let block: Vec<BlockDevice> = elements(parts, 7)?;
    let seen = Observation {
        boot_ms: head.boot_ms,
        boot_id: head.boot_id,
        xen: head.xen,
        kernel: head.kernel,
        command_line: head.command_line,
        disks: elements(parts, 6)?,
        block: block.into_iter().collect::<BlockTree>(),
        mounts: elements(parts, 8)?,
        volumes: elements(parts, 9)?,
        log: KernelLog {
            complete_since_ms: head.complete_since_ms,
            facts: facts(elements(parts, 10)?),
            understood: head.understood,
        },
        oddities: head.oddities,
    };
    Ok(World {
        seen,
        reports: elements(parts, 11)?,
        volumes: elements(parts, 12)?,
        disks: elements(parts, 13)?,
        signs: one(parts, 5)?,
        wall_s: head.wall_s,
        slept_ms: head.slept_ms,
        domain: head.domain,
        init: head.init,
        hold: head.hold,
        releases: head.releases,
        guard: Guard {
            records: elements(parts, 14)?,
            is_lasting: head.is_lasting,
            oddity: head.oddity,
        },
        ended: head.ended,
        running: head.running,
        chance: head.chance,
        is_stopping: head.is_stopping,
    })
}

fn facts(lines: Vec<(u64, Text)>) -> Vec<LogFact> {
    let fact = |(boot_ms, line): (u64, Text)| {
        let message = Message::parse(line.as_bytes())?;
        Some(LogFact { boot_ms, message, line })
    };
    lines.into_iter().filter_map(fact).collect()
}

fn elements<T: DeserializeOwned>(parts: &Parts, name: usize) -> Result<Vec<T>, String> {
    let count: usize = one(parts, name)?;
    // A number that somebody made up asks for no more than there is.
    (1..=count.min(parts.len())).map(|index| read(parts, (name, index))).collect()
}

fn read<T: DeserializeOwned>(parts: &Parts, key: Key) -> Result<T, String> {
    parts.get(&key).and_then(|json| from_bytes(json)).ok_or_else(|| shown(key))
}

/// As a recording names it.
pub fn shown((name, index): Key) -> String {
    match index {
        0 => NAMES[name].to_owned(),
        _ => format!("{}.{}", NAMES[name], index - 1),
    }
}

/// What a recording names so.
pub fn key(shown: &str) -> Option<Key> {
    let whole = NAMES.iter().position(|name| *name == shown);
    let element = || {
        let (name, index) = shown.rsplit_once('.')?;
        let name = NAMES.iter().position(|known| *known == name)?;
        Some((name, index.parse::<usize>().ok()?.checked_add(1)?))
    };
    whole.map(|name| (name, 0)).or_else(element)
}

/// Forgets elements beyond the number that a list has now.
pub fn shorten<T>(parts: &mut BTreeMap<Key, T>, name: usize, count: usize) {
    let first = (name, count.saturating_add(1));
    let gone: Vec<Key> = parts.range(first..(name + 1, 0)).map(|(key, _)| *key).collect();
    gone.iter().for_each(|key| drop(parts.remove(key)));
}
