//! Who uses a volume: units that may be stopped, and all else by name.
//!
//! A unit is a user when one of its processes has files there, when it declares a path there, or
//! when it would start such a unit again. Everything else (a login shell, a container, another
//! mount, a loop device, swap) is not ours to stop. Never stops anything. Runs in a child.

mod declared;
mod processes;

use std::collections::BTreeSet;
use std::time::Duration;

use xvdguard_logic::recovery::effects::{FailureKind, Target, Users};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, place, refusal, systemd};
use crate::clock;
use crate::root::Root;
use processes::Process;

/// Who has a file open for a moment only is gone by then.
const SECOND_LOOK: Duration = Duration::from_millis(200);

/// Finds them.
pub fn list(root: &Root, target: &Target) -> Result<Users, Refusal> {
    let mounts = place::mounts(root)?;
    if place::mounted(&mounts, target).is_none() {
        let why = wording::mounted_otherwise(&target.mount_point);
        return Err(refusal(FailureKind::Gone, why));
    }
    let processes = staying(root, target);
    let mut units: BTreeSet<Text> = BTreeSet::new();
    let mut others = Vec::new();
    for process in &processes {
        match &process.unit {
            Some(unit) => drop(units.insert(unit.clone())),
            None => others.push(wording::process(&process.name, &process.pid)),
        }
    }
    let units = if systemd::is_here(root) {
        declared::with_declared(units, &target.mount_point)?
    } else {
        // What runs without systemd has no unit to be stopped by.
        others.extend(units.iter().map(ToString::to_string));
        Vec::new()
    };
    for mount in mounts.iter().filter(|mount| mount.id != target.mount_id) {
        let is_same = mount.device == target.device;
        if is_same || place::is_below(mount.mount_point.as_bytes(), &target.mount_point) {
            others.push(wording::another_mount(&mount.mount_point));
        }
    }
    others.extend(loops(root, &target.mount_point));
    others.extend(swaps(root, &target.mount_point));
    Ok(Users { units, others })
}

/// Those that are there at a second look, too; the first look is enough where nobody is.
fn staying(root: &Root, target: &Target) -> Vec<Process> {
    let first = processes::of(root, target);
    if first.iter().all(|process| process.unit.is_some()) {
        return first;
    }
    clock::pause(SECOND_LOOK);
    let second = processes::of(root, target);
    let was_there = |process: &Process| {
        process.unit.is_some() || first.iter().any(|one| one.pid == process.pid)
    };
    second.into_iter().filter(was_there).collect()
}

fn loops(root: &Root, mount_point: &Text) -> Vec<String> {
    let names = root.list(b"sys/block").unwrap_or_default();
    let loops = names.iter().filter(|name| name.starts_with("loop"));
    let found = loops.filter_map(|name| {
        let path = [b"sys/block/", name.as_bytes(), b"/loop/backing_file"].concat();
        let file = root.read_text(&path).ok()??;
        place::is_below(file.as_bytes(), mount_point).then(|| wording::loop_device(name, &file))
    });
    found.collect()
}

fn swaps(root: &Root, mount_point: &Text) -> Vec<String> {
    let swaps = root.read(b"proc/swaps").unwrap_or_default();
    let files = swaps.split(|byte| *byte == b'\n');
    let files = files.filter_map(|line| line.split(|byte| *byte == b' ').next());
    let ours = files.filter(|file| place::is_below(file, mount_point));
    ours.map(|file| wording::is_swap(&Text::from(file))).collect()
}
