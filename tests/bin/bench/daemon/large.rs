//! The daemon of a guest with many disks and mounts: memory, and what a turn costs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use harness::deadline;
use harness::failure::{Failure, Result, Tried};
use harness::helper::Helper;

use super::processes;
use crate::bench::Bench;
use crate::guest::{Guest, Size};
use crate::report::{Chapter, Promise, Table, grouped, time};

const SIZES: [Size; 3] = [
    Size { disks: 1, mounts: 1 },
    Size { disks: 64, mounts: 250 },
    Size { disks: 256, mounts: 1000 },
];
const LIMIT_KB: u64 = 8000;
const LIMIT_MS: u64 = 10;
/// Four times as much of everything takes four times as long, and what the machine adds.
const LINEAR_PERCENT: u64 = 400;
const LIMIT_PERCENT: u64 = LINEAR_PERCENT * 5 / 4;
/// No tick, which in peace reads counters alone, comes in between.
const TICK: &str = "[daemon]\ntick = \"10min\"\n";
/// The cheapest counts: what else this machine does at the time makes a turn dearer.
const WINDOWS: usize = 10;
/// How often somebody asks for something in each of them, and what lies between.
const REQUESTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(50);
const SOON: Duration = Duration::from_secs(60);

/// One table.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let mut table = Table::new(&["guest", "resident", "anonymous", "CPU of a turn"]);
    let mut turns = Vec::new();
    for size in SIZES {
        let is_limit = size.disks == 256;
        let (memory, turn) = measure(bench, size)?;
        turns.push(turn);
        let kb = |kib: u64| kib * 1024 / 1000;
        let shown = [memory.resident, memory.anonymous].map(|kib| grouped(kb(kib)) + " KB");
        let row = [vec![size.to_string()], shown.to_vec(), vec![time(turn)]].concat();
        table.row(&row, Promise::at_most_ms(turn, LIMIT_MS).filter(|_| is_limit));
        if is_limit {
            let what = format!("{size}: resident, KB");
            let cells = [what, String::new(), String::new(), String::new()];
            table.row(&cells, Promise::at_most(kb(memory.resident), LIMIT_KB));
        }
    }
    let growth = growth_percent(&turns);
    let what = format!("from the second to the third, % (linear: {LINEAR_PERCENT})");
    let cells = [what, String::new(), String::new(), grouped(growth)];
    table.row(&cells, Promise::at_most(growth, LIMIT_PERCENT));
    let text = "The same daemon with `--root` on saved guests of each size, and a running \
                xenstored: it watches what they hold. A turn is one in which somebody asked for \
                something: it reads all counters, sizes and states. The cheapest of ten whiles.";
    let mut chapter = Chapter::new("A daemon with many disks", text);
    chapter.add(table);
    Ok(chapter)
}

/// How the third turn compares to the second, without what the smallest guest takes as well.
fn growth_percent(turns: &[Duration]) -> u64 {
    let above = |turn: Duration| turn.saturating_sub(turns[0]).as_micros() as u64;
    100 * above(turns[2]) / above(turns[1]).max(1)
}

fn measure(bench: &Bench, size: Size) -> Result<(processes::Memory, Duration)> {
    let guest = Guest::new(bench, &format!("daemon-{}", size.disks), size)?;
    let root = guest.root();
    for folder in ["run/xvdguard", "etc/xvdguard"] {
        let path = root.join(folder);
        fs::create_dir_all(&path).tried(format_args!("make {}", path.display()))?;
    }
    fs::write(root.join("etc/xvdguard/config.toml"), TICK).tried("configure the daemon")?;
    let places = guest.live();
    let mut command = Command::new(bench.program("xvdguard"));
    command.arg("--root").arg(root);
    if let Some(path) = &places.xenstore {
        command.arg("--xenstore").arg(path);
    }
    command.arg("daemon").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let daemon = Helper::start(command)?;
    let pid = daemon.pid().as_raw_nonzero().get() as u32;
    let state = root.join("run/xvdguard/status.json");
    let is_there = deadline::seen(SOON, || state.exists().then_some(()));
    is_there.ok_or_else(|| Failure::new(format!("no daemon for {size}")))?;
    thread::sleep(Duration::from_secs(6));
    let turns = (0..WINDOWS).map(|_| turn(pid, &root.join("run/xvdguard/hold")));
    let turns = turns.collect::<Result<Vec<Duration>>>()?;
    Ok((processes::memory(pid)?, turns.into_iter().min().unwrap_or_default()))
}

/// What a turn takes, over a while. Nothing is held by a request that is gone when it is looked at.
fn turn(pid: u32, request: &Path) -> Result<Duration> {
    let before = processes::used(pid)?;
    for _ in 0..REQUESTS {
        fs::write(request, "").tried("ask for something")?;
        fs::remove_file(request).tried("ask for nothing")?;
        thread::sleep(PAUSE);
    }
    let after = processes::used(pid)?;
    let turns = u32::try_from(after.wake_ups - before.wake_ups).unwrap_or(u32::MAX);
    if turns < REQUESTS {
        return Err(Failure::new(format!("{turns} turns for {REQUESTS} requests")));
    }
    Ok(after.cpu.saturating_sub(before.cpu) / turns)
}
