//! Mounting a volume where and as it was, once it is proven free and the same.
//!
//! Its mount unit alone where systemd has one: a target that is started anew may pull half the
//! system along. Else mount(8) with the line of fstab, or with the options it had while healthy.

use xvdguard_logic::fstab::Fstab;
use xvdguard_logic::recovery::effects::{FailureKind, Identity, Outcome, Target};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::hands as wording;

use super::{Refusal, disk, free, place, program, refusal, systemd};
use crate::root::Root;

/// Words that mountinfo shows and mount(8) does not take back: they tell a state.
const STATES: [&[u8]; 4] = [b"emergency_ro", b"shutdown", b"seclabel", b"ro"];

/// Mounts it.
pub fn mount(root: &Root, target: &Target, known: &Identity) -> Result<Outcome, Refusal> {
    if is_mounted(root, target)? {
        return Ok(Outcome::AlreadySo);
    }
    let others = place::mounts(root)?;
    if others.iter().any(|mount| mount.mount_point == target.mount_point) {
        let why = wording::mounted_otherwise(&target.mount_point);
        return Err(refusal(FailureKind::Gone, why));
    }
    disk::verify(root, target, known)?;
    free::check(root, target)?;
    match systemd::mount_unit(root, &target.mount_point) {
        Some(unit) => systemd::start_alone(&unit)?,
        None => by_program(root, target)?,
    }
    match is_mounted(root, target)? {
        true => Ok(Outcome::Done),
        false => Err(refusal(FailureKind::Other, wording::not_mounted(&target.mount_point))),
    }
}

/// Whether that device is mounted there now, under whatever id.
fn is_mounted(root: &Root, target: &Target) -> Result<bool, Refusal> {
    let mounts = place::mounts(root)?;
    let here = mounts.iter().rfind(|mount| mount.mount_point == target.mount_point);
    Ok(here.is_some_and(|mount| {
        let is_same = mount.device == target.device || mount.device.major == 0;
        is_same && mount.fstype == target.fstype
    }))
}

fn by_program(root: &Root, target: &Target) -> Result<(), Refusal> {
    let at = target.mount_point.as_bytes();
    let ran = if is_in_fstab(root, &target.mount_point) {
        program::run("mount", &[at])
    } else {
        let node = root.shown(&place::node(root, &target.device_name, target.device)?);
        let options = options(&target.options);
        let fstype = target.fstype.as_bytes();
        program::run("mount", &[b"-t", fstype, b"-o", &options, node.as_bytes(), at])
    };
    let ran = ran.map_err(|error| refusal(FailureKind::Other, error))?;
    if ran.code == 0 {
        return Ok(());
    }
    let why = wording::mount_said(&target.mount_point, ran.code, &ran.last_line);
    Err(refusal(FailureKind::Other, why))
}

fn is_in_fstab(root: &Root, mount_point: &Text) -> bool {
    let content = root.read(b"etc/fstab").unwrap_or_default();
    Fstab::parse(&content).entries().any(|entry| entry.mount_point == *mount_point)
}

/// Each word once, and none that tells a state.
fn options(shown: &Text) -> Vec<u8> {
    let mut words: Vec<&[u8]> = Vec::new();
    for word in shown.as_bytes().split(|byte| *byte == b',') {
        if !word.is_empty() && !STATES.contains(&word) && !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(&b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_given_back_once_and_states_not_at_all() {
        let shown = Text::from("rw,noatime,rw,errors=remount-ro,emergency_ro");
        assert_eq!(options(&shown), b"rw,noatime,errors=remount-ro");
    }
}
