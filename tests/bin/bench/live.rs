//! A guest with 256 vbds and a running xenstored: here xenstored itself is most of the time.

use std::time::{Duration, Instant};

use harness::failure::{Failure, Result, Tried};
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::world::World;

use crate::bench::Bench;
use crate::early;
use crate::guest::{Guest, Size};
use crate::measure::{self, Contest, Sample};
use crate::report::{Chapter, Table, grouped};
use crate::rivals::Script;

const SIZE: Size = Size { disks: 256, mounts: 256 };
const ROUNDS: usize = 15;
/// Nothing here takes as long.
const PATIENCE: Duration = Duration::from_secs(60);

/// All keys, and those that decide.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let guest = Guest::new(bench, "live", SIZE)?;
    let list = Script::list(bench)?;
    let outcomes = Contest::of("observation, every key", || observe(&guest, Depth::All))
        .against("observation, the keys that decide", || observe(&guest, Depth::Decisive))
        .against("`xvdguard-early boot`, whole process", || early::run(bench, &guest))
        .against("`xvdguard-early queue` of one", || early::run_queue(bench, &guest))
        .against("sh, xenstore-ls of disks and backends", || list.run(bench, &guest))
        .run(ROUNDS)?;
    let mut chapter = Chapter::new(
        "256 vbds and a running xenstored",
        &format!(
            "An observation is a call in the library: connect, ask, read sysfs and mountinfo; \
             {} questions with every key, {} with those that decide. CPU is that of who asks: the \
             rest of the time is xenstored's, which answers one question after the other.",
            grouped(requests(&guest, Depth::All)?),
            grouped(requests(&guest, Depth::Decisive)?),
        ),
    );
    chapter.add(Table::of(&outcomes, &[]));
    Ok(chapter)
}

fn observe(guest: &Guest, depth: Depth) -> Result<Sample> {
    let places = guest.live();
    let deadline = Instant::now() + PATIENCE;
    let mut disks = 0;
    let sample = measure::call(|| {
        let world = World::open(&places, deadline);
        world.map(|mut world| {
            let seen = world.observe(Look { depth, deadline });
            disks = seen.disks.iter().filter(|disk| disk.vbd.is_some()).count();
            (world, seen)
        })
    });
    if disks != guest.size.disks {
        return Err(Failure::new(format!("{disks} of {} disks were seen", guest.size.disks)));
    }
    Ok(sample)
}

fn requests(guest: &Guest, depth: Depth) -> Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    let mut world = World::open(&guest.live(), deadline).tried("open the world")?;
    world.observe(Look { depth, deadline });
    Ok(world.xenstore_use().map_or(0, |used| used.requests))
}
