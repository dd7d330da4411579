//! One guest as the host sees it: its disks are made and connected, it runs, and what it and the
//! host's devices have seen is collected.
//!
//! blkback writes what it can do into xenstore when it connects, and the guest reads it at once. So
//! the bed's hotplug script leaves all disks unconnected; when the guest waits for them it is
//! paused, all are connected, the keys are made what the scenario wants, and it goes on.

use harness::failure::{Failure, Result, Tried};
use serde_json::Value;

use crate::bed::Bed;
use crate::guest::{CONSOLE, END, REPORT, TROUBLE};
use crate::order::Order;

/// What no healthy guest prints: the emulator has damaged it, or its kernel is broken.
const DAMAGE: &str = "Kernel panic|Oops|BUG:|general protection";

/// What was seen, on both sides.
#[derive(Debug)]
pub struct Seen {
    /// The guest's report (`guest/mod.rs`).
    pub guest: Value,
    /// What the host saw of each disk, in their order.
    pub disks: Vec<HostSeen>,
    /// The backends' keys after the run, as `xenstore-ls -f` prints them.
    pub backends: String,
}

/// What the host saw of a disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostSeen {
    /// Flushes that reached the device.
    pub flushes: u64,
    /// Those of them that were not done.
    pub refused: u64,
    /// The exit code of `e2fsck -fn` after the guest was gone; 0 is a clean file system.
    pub fsck: u64,
}

impl Order<'_> {
    /// Plays the guest to its end.
    pub fn play(&self, bed: &mut Bed) -> Result<Seen> {
        bed.run(&self.prepare_script())?;
        bed.run(&self.create_script())?;
        let domain = bed.run("xl domid bed")?.trim_end().to_owned();
        bed.run(&self.frontends_script(&domain, self.all()))?;
        bed.run(&self.connect_script(&domain, self.all()))?;
        wait_for_report(bed)?;
        let console = bed.run(&format!("cat {CONSOLE}"))?;
        let report = console.lines().find_map(|line| line.trim_end().strip_prefix(REPORT));
        let report = report.ok_or_else(|| Failure::new("the guest's report is not whole"))?;
        let guest = serde_json::from_str(report).tried("read the guest's report")?;
        check_for_damage(&guest)?;
        let backends = bed.run(&format!("xenstore-ls -f /local/domain/0/backend/vbd/{domain}"))?;
        let counted = bed.run(&self.count_script(&domain))?;
        Ok(Seen { guest, disks: counters(&counted)?, backends })
    }
}

/// Pairs of counters, then exit codes.
fn counters(text: &str) -> Result<Vec<HostSeen>> {
    let numbers: std::result::Result<Vec<u64>, _> =
        text.split_whitespace().map(str::parse).collect();
    let numbers = numbers.tried(format_args!("read the counters {text:?}"))?;
    let disks = numbers.len() / 3;
    let (counted, codes) = numbers.split_at(2 * disks);
    let pairs = counted.chunks_exact(2).zip(codes);
    Ok(pairs
        .map(|(pair, fsck)| HostSeen { flushes: pair[0], refused: pair[1], fsck: *fsck })
        .collect())
}

/// Until the guest has told everything.
fn wait_for_report(bed: &mut Bed) -> Result<()> {
    let told = format!("^({END}|{TROUBLE}.*)|({DAMAGE}).*");
    let seen = bed.run(&format!(
        "# wait for the guest's report\n\
         for look in $(seq 600); do grep -aqE '{told}' {CONSOLE} && break; sleep 0.3; done\n\
         grep -aoE '{told}' {CONSOLE} | head -n 9; true"
    ))?;
    if seen.lines().any(|line| line.trim_end() == END) {
        return Ok(());
    }
    let said = seen.lines().next().unwrap_or("nothing more, and does not end");
    Err(Failure::new(format!("the guest says {said}")))
}

/// Not every damage ends a guest: some is only seen in its log.
fn check_for_damage(guest: &Value) -> Result<()> {
    let lines = guest["log"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let is_damage = |line: &&str| DAMAGE.split('|').any(|word| line.contains(word));
    match lines.clone().find(is_damage) {
        Some(line) => Err(Failure::new(format!("the guest's kernel says: {line}"))),
        None => Ok(()),
    }
}
