//! What the keeper is told: the reboot itself, and what it is to do alone if the daemon dies
//! while one is pending.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use xvdguard_linux::error::Result;
use xvdguard_linux::keeper::Keeper;
use xvdguard_linux::keeper::order::{DEAD_BYTES, MOST_DEVICES, Order, Terms};
use xvdguard_linux::recover;
use xvdguard_linux::root::Root;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::recovery::effects::Ladder;
use xvdguard_logic::recovery::memory::{Memory, State};
use xvdguard_logic::recovery::world::{Guard, World};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::missing as lack;

/// The keeper, and what it was told last.
#[derive(Debug)]
pub struct Post {
    keeper: Keeper,
    armed: Option<(Vec<Text>, Terms)>,
}

impl Post {
    /// Starts the keeper.
    pub fn new(root: &Root) -> Result<Post> {
        Ok(Post { keeper: Keeper::start(root)?, armed: None })
    }

    /// What it will have to do without.
    pub fn missing(&self) -> &[String] {
        &self.keeper.missing
    }

    /// Hands it the reboot.
    pub fn reboot(&self, ladder: &Ladder, world: &World) -> Result<()> {
        let dead = world.seen.volumes.iter().filter(|volume| ladder.dead.contains(&volume.device));
        let names = dead.flat_map(|volume| volume.disks.iter().map(Text::as_bytes));
        let terms = terms(ladder.orderly_ms, 0, 0).with_dead(names);
        self.keeper.tell(Order::Climb(terms), &[])
    }

    /// Keeps it armed exactly while a reboot is what would heal this guest.
    pub fn keep_armed(&mut self, root: &Root, known: (&Settings, &Memory, &Guard)) {
        let (settings, memory, guard) = known;
        let wanted = pending(settings, memory, guard);
        if self.armed == wanted {
            return;
        }
        let told = match &wanted {
            None => self.keeper.tell(Order::Disarm, &[]).is_ok(),
            Some((disks, terms)) => self.arm(root, disks, *terms),
        };
        if told {
            self.armed = wanted;
        }
    }

    /// Hands it every disk that the dead volume lies on; where one of them is not there, it is not
    /// armed yet.
    fn arm(&self, root: &Root, disks: &[Text], terms: Terms) -> bool {
        let opened = disks.iter().map(|disk| recover::open_disk(root, disk)).collect();
        let Ok::<Vec<OwnedFd>, _>(opened) = opened else { return false };
        let devices: Vec<_> = opened.iter().map(AsFd::as_fd).collect();
        self.keeper.tell(Order::Arm(terms), &devices).is_ok()
    }

    /// The daemon ends in peace, and the keeper with it.
    pub fn end(self) {
        let _ = self.keeper.tell(Order::End, &[]);
    }
}

/// Why the keeper will not watch the disks of root, where there are too many.
pub fn root_too_wide(world: &World) -> Option<String> {
    let root = world.seen.volumes.iter().find(|volume| volume.mount_point == "/")?;
    let disks = root.disks.len();
    (disks > MOST_DEVICES).then(|| lack::wide_root(disks, MOST_DEVICES))
}

/// The reboot that would follow, as the keeper would do it alone: on kernels where a dead root
/// executes nothing any more, no other daemon can come after this one.
fn pending(settings: &Settings, memory: &Memory, guard: &Guard) -> Option<(Vec<Text>, Terms)> {
    if memory.hold.is_some() || !has_budget(settings, memory, guard) {
        return None;
    }
    let volume = memory.volumes.iter().find(|volume| volume.by_reboot && is_dead(volume.state))?;
    let disks = volume.disks.clone();
    if disks.is_empty() || disks.len() > MOST_DEVICES {
        return None;
    }
    let ms = |time: Duration| time.as_millis() as u64;
    let Settings { reboot, .. } = settings;
    let drawn_ms = volume.incident_ms.unwrap_or(0) + memory.jitter_ms.unwrap_or(0);
    let not_before_ms = drawn_ms.max(ms(reboot.minimum_uptime.value));
    let terms = terms(ms(reboot.orderly.value), not_before_ms, ms(reboot.settle.value));
    Some((disks, terms.with_dead(volume.disks.iter().map(Text::as_bytes))))
}

fn is_dead(state: State) -> bool {
    matches!(state, State::Aborted | State::Recovering(_) | State::RebootPending(_))
}

/// Stricter than the guard itself, which looks at times: alone, the keeper cannot.
fn has_budget(settings: &Settings, memory: &Memory, guard: &Guard) -> bool {
    let earlier =
        guard.records.iter().filter(|record| Some(&record.boot_id) != memory.boot_id.as_ref());
    let spent = earlier.clone().filter(|record| !record.ended_well).count() as u64;
    let is_known = guard.is_lasting && memory.record.written.is_some() && earlier.count() > 0;
    is_known && spent < u64::from(settings.reboot.at_most.value)
}

fn terms(orderly_ms: u64, not_before_ms: u64, settle_ms: u64) -> Terms {
    Terms { orderly_ms, not_before_ms, settle_ms, dead: [0; DEAD_BYTES] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xvdguard_logic::block::DeviceNumber;
    use xvdguard_logic::volume::Volume;

    #[test]
    fn a_root_that_the_keeper_cannot_watch_is_named() {
        let said = |disks: usize| {
            let mut world = World::default();
            world.seen.volumes.push(Volume {
                mount_point: "/".into(),
                fstype: "ext4".into(),
                device: DeviceNumber { major: 253, minor: 0 },
                device_name: "dm-0".into(),
                disks: vec!["xvda".into(); disks],
            });
            root_too_wide(&world)
        };
        assert_eq!(said(8), None);
        assert!(said(9).is_some_and(|text| text.contains("lies on 9 disks")));
    }
}
