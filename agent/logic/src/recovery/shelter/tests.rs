//! A guest that moves: what is ordered for its disk, and when.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::decide::decide;
use crate::disk::BlockDisk;
use crate::kernel_version::KernelVersion;
use crate::policy::Chosen;
use crate::policy::queue::{QueueAttribute, QueueRule};
use crate::policy::settings::Settings;
use crate::recovery::effects::Ended;
use crate::recovery::world::{DiskSeen, World};
use crate::vbd::Vbd;
use crate::vbd::keys::Keys;

/// A guest on Linux 6.1 with one disk, and limits for it.
struct Guest {
    settings: Settings,
    memory: Memory,
    world: World,
}

impl Guest {
    fn new() -> Guest {
        let mut settings = Settings::default();
        let limits = [(QueueAttribute::MaxSectorsKb, "16"), (QueueAttribute::NrRequests, "8")];
        let limits = limits.map(|(attribute, value)| (attribute, Chosen::by_default(value.into())));
        settings.policy.queue.push(QueueRule { settings: limits.into(), ..QueueRule::default() });
        let mut world = World::default();
        world.seen.kernel = Some(KernelVersion::new(6, 1, 0));
        world.seen.boot_id = Some("this boot".into());
        world.disks = vec![DiskSeen { name: "xvda".into(), ..DiskSeen::default() }];
        let mut guest = Guest { settings, memory: Memory::default(), world };
        guest.connect(1, "4", "1");
        guest
    }

    /// Its backend is this domain's now, in this state, and offers flushes or not.
    fn connect(&mut self, domain: u32, state: &str, flush: &str) {
        let queue =
            [("write_cache", "write back"), ("max_sectors_kb", "128"), ("nr_requests", "32")];
        let queue: BTreeMap<_, _> = queue.map(|(name, value)| (name.into(), value.into())).into();
        let device = BlockDisk { is_blkfront: true, sectors: 8, queue, ..BlockDisk::default() };
        let path = format!("/local/domain/0/backend/vbd/{domain}/51712");
        let vbd = Vbd {
            backend_path: Some(path.as_str().into()),
            frontend: Keys::from(&[("state", state)][..]),
            backend: Keys::from(&[("mode", "w"), ("feature-flush-cache", flush)][..]),
            ..Vbd::default()
        };
        let name = "xvda".into();
        self.world.seen.disks = vec![Disk { name, vbd: Some(vbd), device: Some(device) }];
    }

    /// What is ordered in one turn; all of it is done by the next.
    fn turn(&mut self) -> Vec<String> {
        self.world.seen.boot_ms += 1000;
        let decision = decide(&self.settings, core::mem::take(&mut self.memory), &self.world);
        self.memory = decision.memory;
        let done = decision.effects.iter();
        self.world.ended = done.map(|one| Ended { id: one.id, outcome: Outcome::Done }).collect();
        let orders = decision.effects.into_iter().filter_map(|one| match one.deed {
            Deed::SetQueue(one) => Some(format!("{} {}", one.attribute, one.new)),
            Deed::ProbeFlush(_) => Some("flush".to_string()),
            _ => None,
        });
        orders.collect()
    }
}

#[test]
fn limits_are_set_again_once_the_new_backend_is_connected_and_then_a_flush_is_sent() {
    let mut guest = Guest::new();
    assert_eq!(guest.turn(), Vec::<String>::new());
    guest.connect(2, "3", "1");
    assert_eq!([guest.turn(), guest.turn()].concat(), Vec::<String>::new());
    guest.connect(2, "4", "1");
    let orders: Vec<_> = (0..6).flat_map(|_| guest.turn()).collect();
    assert_eq!(orders, ["max_sectors_kb 16", "nr_requests 8", "flush"]);
}

#[test]
fn flushes_are_switched_off_before_a_backend_that_knows_none_is_connected() {
    let mut guest = Guest::new();
    guest.turn();
    guest.connect(2, "3", "0");
    assert_eq!(guest.turn(), ["write_cache write through"]);
    assert_eq!(guest.turn(), Vec::<String>::new());
    guest.connect(2, "4", "0");
    let orders: Vec<_> = (0..6).flat_map(|_| guest.turn()).collect();
    assert_eq!(orders, ["max_sectors_kb 16", "nr_requests 8"]);
}
