//! What the daemon, its keeper and rivals cost while nothing happens: memory, wake-ups, processor.

use std::thread;
use std::time::Duration;

use harness::failure::Result;

use super::processes::{self, Memory, Used};
use super::rivals;
use super::watched::Watched;
use crate::bench::Bench;
use crate::report::{Chapter, Promise, Table, grouped, time};

/// Everybody at the same time; the daemon's tick is 30 s.
const WATCHED: Duration = Duration::from_secs(600);
const TICKS: u64 = 20;
/// Of all ticks, and of the look at everything that comes once in as many.
const CPU_MS: u64 = 10;
const LOCKED_KB: u64 = 4500;
const ANONYMOUS_KB: u64 = 700;
const KEEPER_KB: u64 = 1500;

/// One table.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let watched = Watched::start(bench, 2)?;
    let (daemon, keeper) = (watched.daemon()?, watched.keeper()?);
    let rivals = rivals::start(bench);
    let mut all = vec![("xvdguard daemon", daemon), ("its keeper", keeper)];
    all.extend(rivals.running.iter().map(|(name, _, pid)| (*name, *pid)));
    // What starting costs is over by then.
    thread::sleep(Duration::from_secs(35));
    let before: Vec<Option<Used>> = all.iter().map(|(_, pid)| processes::used(*pid).ok()).collect();
    thread::sleep(WATCHED);
    let mut table = Table::new(&["process", "resident", "anonymous", "locked", "wake-ups", "CPU"]);
    for ((name, pid), before) in all.iter().zip(before) {
        let (Some(before), Ok(after)) = (before, processes::used(*pid)) else { continue };
        let cost = Cost {
            memory: processes::memory(*pid).unwrap_or_default(),
            wake_ups: after.wake_ups - before.wake_ups,
            cpu: after.cpu.saturating_sub(before.cpu),
        };
        table.row(&cost.cells(name), None);
        let promises = match *pid {
            pid if pid == daemon => cost.of_daemon(),
            pid if pid == keeper => cost.of_keeper(),
            _ => Vec::new(),
        };
        for (what, promise) in promises {
            let empty = String::new;
            table.row(&[what.into(), empty(), empty(), empty(), empty(), empty()], promise);
        }
    }
    let text = format!(
        "Two mounted volumes, {} s in which nobody does anything to them; CPU of the first minutes \
         is left out. All at the same time, and beside the kernel log of this machine, each line \
         of which wakes whoever follows it. KB of 1,000 bytes.{}",
        WATCHED.as_secs(),
        rivals.missing()
    );
    let mut chapter = Chapter::new("A daemon that has nothing to do", &text);
    chapter.add(table);
    Ok(chapter)
}

/// What a process cost.
struct Cost {
    memory: Memory,
    wake_ups: u64,
    cpu: Duration,
}

fn kb(kib: u64) -> u64 {
    kib * 1024 / 1000
}

impl Cost {
    fn cells(&self, name: &str) -> Vec<String> {
        let Memory { resident, anonymous, locked } = self.memory;
        let sizes = [resident, anonymous, locked].map(|kib| grouped(kb(kib)) + " KB");
        let used = vec![grouped(self.wake_ups), time(self.cpu)];
        [vec![name.to_owned()], sizes.to_vec(), used].concat()
    }

    fn of_daemon(&self) -> Vec<(&'static str, Option<Promise>)> {
        let Memory { anonymous, locked, .. } = self.memory;
        vec![
            ("daemon: locked, KB", Promise::at_most(kb(locked), LOCKED_KB)),
            ("daemon: anonymous, KB", Promise::at_most(kb(anonymous), ANONYMOUS_KB)),
            ("daemon: wake-ups, one for each tick", Promise::at_most(self.wake_ups, TICKS + 1)),
            ("daemon: CPU", Promise::at_most_ms(self.cpu, CPU_MS)),
        ]
    }

    fn of_keeper(&self) -> Vec<(&'static str, Option<Promise>)> {
        let locked = kb(self.memory.locked);
        vec![("keeper: locked, KB", Promise::at_most(locked, KEEPER_KB))]
    }
}
