//! A guest that moves: what is ordered for its disk, and when.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::decide::decide;
use crate::disk::BlockDisk;
use crate::kernel_log::record::Record;
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

    /// A limit or switch of its queue is this now.
    fn set(&mut self, attribute: &str, to: Text) {
        let device = self.world.seen.disks[0].device.as_mut().unwrap();
        device.queue.insert(attribute.into(), to);
    }

    /// The kernel says something.
    fn says(&mut self, text: &str) {
        let sequence = self.world.signs.next_sequence;
        let boot_us = self.world.seen.boot_ms * 1000;
        self.world.signs.take(&Record { priority: 3, sequence, boot_us, text: text.as_bytes() });
    }

    /// What is ordered within that many turns of a second each, with the turn, counted from one.
    fn turns(&mut self, count: usize) -> Vec<(usize, String)> {
        let turns = (1..=count).flat_map(|turn| {
            self.turn().into_iter().map(move |order| (turn, order)).collect::<Vec<_>>()
        });
        turns.collect()
    }

    /// What is ordered in one turn; all of it is done by the next.
    fn turn(&mut self) -> Vec<String> {
        self.world.seen.boot_ms += 1000;
        let decision = decide(&self.settings, core::mem::take(&mut self.memory), &self.world);
        self.memory = decision.memory;
        for effect in &decision.effects {
            if let Deed::SetQueue(setting) = &effect.deed {
                self.set(&setting.attribute.to_string(), setting.new.clone());
            }
        }
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
fn what_ends_at_a_queue_is_told_from_the_rest() {
    let mut guest = Guest::new();
    guest.turn();
    guest.connect(2, "4", "1");
    for _ in 0..6 {
        let orders = guest.turn();
        let cares = |ended: &Ended| guest.memory.cares_by(ended.id);
        assert_eq!(guest.world.ended.iter().any(cares), !orders.is_empty(), "{orders:?}");
        assert!(!guest.memory.cares_by(guest.memory.next_effect));
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

/// A line of Linux 6.1.
const ERROR: &str =
    "I/O error, dev xvda, sector 704664 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2";

#[test]
fn no_flush_is_sent_from_the_first_error_until_the_disk_has_settled() {
    let mut guest = Guest::new();
    guest.turn();
    guest.says(ERROR);
    assert_eq!(guest.turn(), ["write_cache write through"]);
    // It answers from the next turn on, and has to for 5 s.
    let later = guest.turns(20);
    let orders: Vec<&str> = later.iter().map(|(_, order)| order.as_str()).collect();
    assert_eq!(orders, ["write_cache write back", "flush"]);
    assert!(later[0].0 >= 5, "{later:?}");
}

#[test]
fn what_gives_errors_again_has_to_settle_anew() {
    let mut guest = Guest::new();
    guest.turn();
    guest.says(ERROR);
    guest.turn();
    assert_eq!(guest.turns(4), []);
    guest.says(ERROR);
    let later = guest.turns(20);
    assert_eq!(later.len(), 2, "{later:?}");
    assert!(later[0].0 >= 5, "{later:?}");
}

#[test]
fn flushes_stay_as_they_are_where_they_cannot_kill_a_journal_or_where_a_person_said_so() {
    let changes: [fn(&mut Guest); 4] = [
        |guest| guest.world.seen.kernel = Some(KernelVersion::new(6, 12, 0)),
        |guest| guest.set("write_cache", "write through".into()),
        |guest| guest.settings.policy.barrier = Chosen::by_default(BarrierMode::On),
        |guest| guest.settings.policy.lever = Chosen::by_default(Lever::Mount),
    ];
    for (index, change) in changes.into_iter().enumerate() {
        let mut guest = Guest::new();
        change(&mut guest);
        guest.turn();
        guest.says(ERROR);
        assert_eq!(guest.turns(20), [], "{index}");
    }
}

#[test]
fn flushes_stay_off_where_the_backend_takes_its_promise_back() {
    let mut guest = Guest::new();
    guest.turn();
    guest.says(ERROR);
    assert_eq!(guest.turn(), ["write_cache write through"]);
    guest.connect(1, "4", "0");
    guest.set("write_cache", "write through".into());
    assert_eq!(guest.turns(20), []);
}
