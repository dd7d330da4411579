//! The later half of the barrier job: when fstab may be written without anybody asked.
//!
//! Only in a boot that early boot has seen, that is finished, and in which everything is healthy.
//! What is written then is `plan`'s, without queues, which are early boot's, and without remounts
//! that switch something off.

use super::Plan;
use crate::policy::RewriteFstab;
use crate::policy::settings::Settings;
use crate::recovery::memory::{Memory, State, VolumeMemory};
use crate::recovery::world::World;

/// Who writes the report of early boot.
const EARLY: &str = "xvdguard-early";

/// Whether it may be done now.
pub fn is_time(settings: &Settings, memory: &Memory, world: &World) -> bool {
    let Settings { policy, reboot, .. } = settings;
    let is_wanted = policy.inert.is_none() && policy.rewrite_fstab.value == RewriteFstab::Auto;
    let is_ours = |volume: &VolumeMemory| volume.state == State::Healthy && !volume.is_suspect;
    let is_root = |volume: &&VolumeMemory| volume.target.mount_point == "/";
    let root = memory.volumes.iter().find(is_root);
    let had_early = world.reports.iter().any(|report| {
        report.tool == EARLY && report.boot_id.is_some() && report.boot_id == world.seen.boot_id
    });
    is_wanted
        && had_early
        && u128::from(world.seen.boot_ms) >= reboot.minimum_uptime.value.as_millis()
        && memory.volumes.iter().all(is_ours)
        && root.is_none_or(|root| root.was_writable)
        && memory.hold.is_none()
        && !memory.is_rebooting
        && !world.is_stopping
}

impl Plan {
    /// What of it is done then.
    pub fn for_later(mut self) -> Plan {
        self.queue.clear();
        self.root_flags = None;
        self.remounts.retain(|remount| remount.barrier && self.new_fstab.is_some());
        self
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::recovery::world::Hold;
    use crate::verdict::report::{Report, SCHEMA};

    fn world() -> World {
        let report = Report {
            schema: SCHEMA,
            tool: EARLY.into(),
            version: "1".into(),
            boot_id: Some("b".into()),
            boot_ms: 0,
            time: None,
            policy_hash: None,
            disks: vec![],
            said: vec![],
            xenstore: None,
        };
        let mut world = World { reports: vec![report], ..World::default() };
        world.seen.boot_id = Some("b".into());
        world.seen.boot_ms = 600_000;
        world
    }

    fn volume(state: State) -> Memory {
        let volume = VolumeMemory { state, ..VolumeMemory::default() };
        Memory { volumes: vec![volume], ..Memory::default() }
    }

    #[test]
    fn it_is_time_in_a_healthy_boot_with_early_boot_that_is_finished() {
        let settings = Settings::default();
        let healthy = volume(State::Healthy);
        assert!(is_time(&settings, &healthy, &world()));
        assert!(!is_time(&settings, &volume(State::Erring), &world()));
        let held = Memory {
            hold: Some(Hold { by: "a".into(), mark: "1".into(), why: None, until_ms: None }),
            ..healthy.clone()
        };
        assert!(!is_time(&settings, &held, &world()));
        let mut young = world();
        young.seen.boot_ms = 599_999;
        assert!(!is_time(&settings, &healthy, &young));
        let mut other_boot = world();
        other_boot.seen.boot_id = Some("c".into());
        assert!(!is_time(&settings, &healthy, &other_boot));
        let mut never = Settings::default();
        never.policy.rewrite_fstab.value = RewriteFstab::Never;
        assert!(!is_time(&never, &healthy, &world()));
    }
}
