//! What procfs says of running processes: memory, wake-ups, processor time.

use std::fs;
use std::io::{BufRead, BufReader};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use harness::failure::{Failure, Result, Tried};
use harness::helper::Helper;

/// What a process holds in memory, in KiB.
#[derive(Debug, Clone, Copy, Default)]
pub struct Memory {
    pub resident: u64,
    pub anonymous: u64,
    pub locked: u64,
}

/// What it has used so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// Times that it went to sleep by itself: it was woken as often.
    pub wake_ups: u64,
    pub cpu: Duration,
}

/// The lines of a program, each with the moment it came.
pub type Said = Receiver<(Instant, String)>;

/// Reads all that a program says from now on.
pub fn follow(program: &mut Helper) -> Result<Said> {
    let output = program.take_output()?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::io::Result::ok) {
            // Where nobody asks any more, the program may still speak.
            let _ = tell.send((Instant::now(), line));
        }
    });
    Ok(told)
}

/// Its memory now.
pub fn memory(pid: u32) -> Result<Memory> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let text = fs::read_to_string(&path).tried(format_args!("read {path}"))?;
    let kib = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        number.ok_or_else(|| Failure::new(format!("{path} has no {name}")))
    };
    Ok(Memory { resident: kib("Rss:")?, anonymous: kib("Anonymous:")?, locked: kib("Locked:")? })
}

/// What it has used.
pub fn used(pid: u32) -> Result<Used> {
    let status = read(pid, "status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    let wake_ups = line.and_then(|number| number.trim().parse().ok());
    // schedstat: nanoseconds on a processor, in user space and in the kernel.
    let schedstat = read(pid, "schedstat")?;
    let spent = schedstat.split(' ').next().and_then(|number| number.parse().ok());
    let unknown = || Failure::new(format!("/proc/{pid} does not tell what was used"));
    Ok(Used {
        wake_ups: wake_ups.ok_or_else(unknown)?,
        cpu: Duration::from_nanos(spent.ok_or_else(unknown)?),
    })
}

/// The first child of a process.
pub fn child_of(parent: u32) -> Option<u32> {
    let pids = fs::read_dir("/proc").ok()?;
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).min()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat = read(pid, "stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(1)?.parse().ok()
}

fn read(pid: u32, file: &str) -> Result<String> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).tried(format_args!("read {path}"))
}
