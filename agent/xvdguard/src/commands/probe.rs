//! `probe`: one flush for each disk, and what came of it. The only command that sends one.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use xvdguard_linux::probe::{Orders, judge_all, probe_and_judge};
use xvdguard_linux::{child, recover, reports};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::recovery::effects::{self, FailureKind, Outcome};
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::verdict::report::{DiskReport, Report};
use xvdguard_logic::wording;

use super::{
    PATIENCE, Session, XENSTORE_WAIT, nothing_to_guard, print_disks, report, say_oddities, stamp,
};
use crate::arguments::{Global, Probe};
use crate::exit::Failure;
use crate::{json, terminal};

/// How long things may take.
struct Limits {
    /// One flush.
    flush: Duration,
    /// All of them.
    all: Duration,
    /// xenstore, after them.
    after: Duration,
    /// Another writer.
    patience: Duration,
}

/// One flush: longer than a path fail-over that the host hides. All: 256 disks in batches of 8.
const ASKED_FOR: Limits = Limits {
    flush: Duration::from_secs(10),
    all: Duration::from_secs(600),
    after: XENSTORE_WAIT,
    patience: PATIENCE,
};

/// systemd waits for udev with the device unit of a disk that appears; the rule ends it after 3 s.
const APPEARED: Limits = Limits {
    flush: Duration::from_millis(1500),
    all: Duration::from_millis(1500),
    after: Duration::from_millis(300),
    patience: Duration::from_millis(500),
};

/// Runs the command.
pub fn run(mut session: Session, options: &Probe) -> Result<ExitCode, Failure> {
    if !child::is_privileged() {
        return Err(Failure::Privileges("probe"));
    }
    let mut seen = session.observe();
    if let Some(line) = nothing_to_guard(&seen).filter(|_| options.disks.is_empty()) {
        let nothing =
            if session.voice.json { json::probe(&[], &seen) } else { format!("{line}\n") };
        terminal::print(&nothing);
        return Ok(ExitCode::SUCCESS);
    }
    check_names(&seen, &options.disks)?;
    let policy = session.settings_or_defaults(&mut seen).policy;
    if options.appeared && (policy.inert.is_some() || !policy.barrier.value.probes()) {
        return Ok(ExitCode::SUCCESS);
    }
    seen.oddities.extend(wording::status::probed_all_the_same(&policy));
    let limits = if options.appeared { APPEARED } else { ASKED_FOR };
    let _lock = reports::lock(&session.world.root, limits.patience).map_err(Failure::Output)?;
    let earlier = reports::read_all(&session.world.root, &mut seen.oddities);
    let known = if options.appeared { known(&seen, &earlier) } else { Vec::new() };
    let wants = |name: &Text| is_wanted(&options.disks, name) && !known.contains(name);
    let started = Instant::now();
    let orders = Orders {
        wants: &wants,
        flush: limits.flush,
        deadline: started + limits.all,
        after: started + limits.all + limits.after,
    };
    let mut disks = probe_and_judge(&mut session.world, &mut seen, &earlier, &orders);
    stamp(&mut disks, &session.world);
    keep(&session, &mut seen, &disks);
    say_oddities(&seen, session.voice);
    let shown: Vec<&DiskReport> = disks.iter().filter(|disk| wants(&disk.name)).collect();
    if session.voice.json {
        terminal::print(&json::probe(&shown, &seen));
    } else {
        print_disks(&shown, &seen, session.voice);
    }
    let is_good = shown.iter().all(|disk| disk.verdict.is_settled());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The disks of which a report of this boot and this connection says enough.
fn known(seen: &Observation, earlier: &[Report]) -> Vec<Text> {
    let judged = judge_all(seen, earlier, None).into_iter();
    let known = judged.filter(|disk| disk.verdict != FlushVerdict::Untested);
    known.map(|disk| disk.name).collect()
}

fn is_wanted(disks: &[String], name: &Text) -> bool {
    let bare = |disk: &String| Text::from(disk.strip_prefix("/dev/").unwrap_or(disk));
    disks.is_empty() || disks.iter().any(|disk| bare(disk) == *name)
}

fn check_names(seen: &Observation, disks: &[String]) -> Result<(), Failure> {
    for disk in disks {
        let is_known =
            seen.disks.iter().any(|one| is_wanted(std::slice::from_ref(disk), &one.name));
        if !is_known {
            let known: Vec<String> = seen.disks.iter().map(|one| one.name.to_string()).collect();
            let shown = Text::from(disk.as_str());
            let known = known.join(", ");
            return Err(Failure::Usage(format!("no virtual disk \"{shown}\"; there are: {known}")));
        }
    }
    Ok(())
}

/// A report that cannot be kept costs later commands their memory, not this one its answer.
fn keep(session: &Session, seen: &mut Observation, disks: &[DiskReport]) {
    let report = report(session, seen, disks);
    if let Err(error) = reports::write_report(&session.world.root, reports::PROBE, &report) {
        seen.oddities.push(format!("{error}; status will not know of this probe"));
    }
}

/// One flush for one disk, for the daemon: looks, probes and keeps the report as the command does.
/// Runs in a child, which has closed the daemon's files and opens its own.
pub fn in_child(global: &Global, disk: &Text) -> Vec<u8> {
    let outcome = match probe_one(global, disk) {
        Ok(()) => Outcome::Done,
        Err(failure) => {
            let text = failure.to_string();
            Outcome::Failed(effects::Failure { kind: FailureKind::Other, text })
        }
    };
    recover::encode(&outcome)
}

fn probe_one(global: &Global, disk: &Text) -> Result<(), Failure> {
    let mut session = Session::open(global)?;
    let mut seen = session.observe();
    let _lock = reports::lock(&session.world.root, PATIENCE).map_err(Failure::Output)?;
    let earlier = reports::read_all(&session.world.root, &mut seen.oddities);
    let started = Instant::now();
    let orders = Orders {
        wants: &|name| name == disk,
        flush: ASKED_FOR.flush,
        deadline: started + ASKED_FOR.all,
        after: started + ASKED_FOR.all + ASKED_FOR.after,
    };
    let mut disks = probe_and_judge(&mut session.world, &mut seen, &earlier, &orders);
    stamp(&mut disks, &session.world);
    let report = report(&session, &seen, &disks);
    reports::write_report(&session.world.root, reports::PROBE, &report).map_err(Failure::Output)
}
