//! Mounted file systems: which get their barrier option now, and which at the next mount.
//!
//! A remount writes to the journal, so it is wanted only where it changes what this kernel does:
//! where the mount option is the lever in force, or where our own is taken back.

use alloc::string::String;
use alloc::vec::Vec;

use super::lines::Lines;
use super::wish::Wish;
use super::{Remount, Situation, Why, is_ext3_or_ext4};
use crate::decide_boot::switch;
use crate::effect::Switch;
use crate::mountinfo::Mount;
use crate::text::Text;
use crate::verdict::FlushVerdict;
use crate::volume::Volume;
use crate::wording::plan as wording;

#[derive(Debug, Default)]
pub(super) struct Remounts {
    pub now: Vec<Remount>,
    /// What waits for the next mount, in sentences.
    pub later: Vec<String>,
}

pub(super) fn plan(situation: &Situation<'_>, lines: &Lines) -> Remounts {
    let mut remounts = take_back(situation, lines);
    for volume in volumes(situation, false) {
        let Wish::SwitchOff(why) = situation.wish(Some(&volume.disks)) else { continue };
        let is_now = situation.is_mount_the_lever(volume);
        let is_set = lines.switched_off.contains_key(&volume.device_name);
        if is_now && situation.is_writable(volume) {
            remounts.now.push(remount(volume, false, why));
        } else if is_now || is_set {
            remounts.later.push(wording::set_later(&volume.mount_point, is_now));
        }
    }
    remounts
}

/// Only what takes our own options back.
pub(super) fn take_back(situation: &Situation<'_>, lines: &Lines) -> Remounts {
    let mut remounts = Remounts::default();
    for volume in volumes(situation, true) {
        let Some(why) = lines.taken_back.get(&volume.device_name) else { continue };
        let is_well = situation.may_flush(&volume.disks);
        if is_well && situation.is_writable(volume) {
            remounts.now.push(remount(volume, true, why.clone()));
        } else {
            remounts.later.push(wording::restored_later(&volume.mount_point, is_well));
        }
    }
    remounts
}

/// Mounted ext3 and ext4 that send no flush, or those that do.
fn volumes<'a>(situation: &Situation<'a>, is_off: bool) -> impl Iterator<Item = &'a Volume> {
    let volumes = situation.seen.volumes.iter();
    let volumes = volumes.filter(|volume| is_ext3_or_ext4(&volume.fstype));
    volumes.filter(move |volume| situation.is_off(volume) == is_off)
}

fn remount(volume: &Volume, barrier: bool, why: Why) -> Remount {
    let Volume { mount_point, fstype, device, device_name, .. } = volume.clone();
    Remount { mount_point, fstype, device, device_name, barrier, why }
}

impl Situation<'_> {
    /// Whether this kernel's flushes are switched off by the mount option: by choice, or because
    /// it has no `write_cache`.
    fn is_mount_the_lever(&self, volume: &Volume) -> bool {
        volume.disks.iter().any(|name| {
            let (Some(disk), Some(report)) = (self.seen.disk(name), self.report(name)) else {
                return false;
            };
            switch(self.policy, self.seen, disk, report) == Switch::Mount
        })
    }

    /// Whether a remount that says nothing of it leaves it writable, as it is.
    fn is_writable(&self, volume: &Volume) -> bool {
        self.mount(volume).is_some_and(Mount::is_writable)
    }

    /// Whether nothing speaks against a flush to these disks right now.
    pub fn may_flush(&self, disks: &[Text]) -> bool {
        use FlushVerdict::{Failing, Lost, Refused};
        let reports = disks.iter().map(|disk| self.report(disk));
        let is_well = |verdict| !matches!(verdict, Refused | Failing | Lost);
        reports.flatten().all(|report| is_well(report.verdict))
    }
}
