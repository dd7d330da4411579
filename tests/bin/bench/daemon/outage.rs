//! An outage, and how long after it a volume takes writes again: on real file systems over a
//! storage that fails on command.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use harness::deadline;
use harness::failure::{Failure, Result, Tried};
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::helper::Helper;
use harness::pretended_guest::PretendedGuest;
use harness::program;
use serde_json::Value;
use xvdguard_linux::clock;

use crate::bench::Bench;
use crate::report::{Chapter, Promise, Table, time};

const TYPES: [&str; 2] = ["ext4", "ext3"];
const ROUNDS: usize = 3;
const SETTLE: Duration = Duration::from_secs(1);
const LIMIT_MS: u64 = 1000;
const AT: &str = "/run/srv";
const SOON: Duration = Duration::from_secs(120);

/// How long a recovery took.
#[derive(Debug, Clone, Copy)]
struct Took {
    whole: Duration,
    check: Duration,
}

impl Took {
    fn ours(&self) -> Duration {
        self.whole.saturating_sub(SETTLE).saturating_sub(self.check)
    }
}

/// One table.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let mut table = Table::new(&["file system", "writable after", "the check", "the rest"]);
    for fstype in TYPES {
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(round(bench, fstype).tried(format_args!("bring back {fstype}"))?);
        }
        rounds.sort_by_key(Took::ours);
        let median = rounds[ROUNDS / 2];
        let cells = [time(median.whole), time(median.check), time(median.ours())];
        let row = [vec![fstype.to_owned()], cells.to_vec()].concat();
        table.row(&row, Promise::at_most_ms(median.ours(), LIMIT_MS));
    }
    let text = format!(
        "A volume of an idle guest; its storage refuses everything until the journal is dead, then \
         answers again. Counted from that answer until a new file was written and synced, by the \
         daemon's own evidence; `settle` of {} s and the check, which is e2fsck's, are taken out \
         for the rest. The median of {ROUNDS} outages. No rival has a row: monit and watchdog can \
         at most reboot, and leave it dead until then.",
        SETTLE.as_secs()
    );
    let mut chapter =
        Chapter::new("From the storage's answer to a volume that takes writes", &text);
    chapter.add(table);
    Ok(chapter)
}

fn round(bench: &Bench, fstype: &str) -> Result<Took> {
    let disk = FaultyDisk::new(64 << 20)?;
    let node = disk.device.node().display().to_string();
    program::run(&format!("mkfs.{fstype}"), &["-q", &node])?;
    let guest = PretendedGuest::start(&[&disk.device])?;
    guest.run(&format!("mkdir {AT} && mount -t {fstype} {node} {AT}"))?;
    let config = format!("[recovery]\nsettle = \"{}s\"\n", SETTLE.as_secs());
    fs::write(guest.within("/etc/xvdguard/config.toml"), config).tried("configure")?;
    let mut command = guest.command(bench.program("xvdguard"));
    command.arg("daemon").stdout(Stdio::null()).stderr(Stdio::null());
    let _daemon = Helper::start(command)?;
    until("the volume is known", || {
        let memory = document(&guest, "/run/xvdguard/memory.json")?;
        (!memory["volumes"][0]["identity"].is_null()).then_some(())
    })?;
    disk.storage.set_all(&Fault::everything(Answer::Eio))?;
    until("the volume is dead", || {
        guest.stir(AT);
        let state = document(&guest, "/run/xvdguard/status.json")?;
        (state["volumes"][0]["health"] == "aborted").then_some(())
    })?;
    let answers_ms = clock::boot_ms();
    disk.storage.heal()?;
    let bundle = until("the evidence is written", || bundle(&guest))?;
    took(&bundle, answers_ms).ok_or_else(|| Failure::new(format!("no recovery: {bundle:#}")))
}

fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> Result<T> {
    deadline::seen(SOON, look).ok_or_else(|| Failure::new(format!("not within {SOON:?}: {what}")))
}

fn document(guest: &PretendedGuest, path: &str) -> Option<Value> {
    serde_json::from_slice(&fs::read(guest.within(path)).ok()?).ok()
}

/// The evidence of the one incident, once the volume is healthy.
fn bundle(guest: &PretendedGuest) -> Option<Value> {
    let names = fs::read_dir(guest.within("/var/lib/xvdguard/record")).ok()?;
    let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let name = names.filter(|name| name.ends_with(".json")).max()?;
    document(guest, &format!("/var/lib/xvdguard/record/{name}"))
        .filter(|bundle| bundle["end"] == "healthy")
}

fn took(bundle: &Value, answers_ms: u64) -> Option<Took> {
    let ended_ms = |deed: &str| -> Option<(u64, u64)> {
        let steps = bundle["steps"].as_array()?;
        let ordered = steps.iter().rfind(|step| !step["ordered"]["deed"][deed].is_null())?;
        let ended = steps.iter().find(|step| step["ended"]["id"] == ordered["ordered"]["id"])?;
        Some((ordered["boot_ms"].as_u64()?, ended["boot_ms"].as_u64()?))
    };
    let (_, writable_ms) = ended_ms("probe-write")?;
    let check = ended_ms("fsck").map_or(0, |(began_ms, ended_ms)| ended_ms - began_ms);
    let whole = writable_ms.checked_sub(answers_ms)?;
    Some(Took { whole: Duration::from_millis(whole), check: Duration::from_millis(check) })
}
