//! `xvdguard-early boot`: observe, probe, decide, act, once, and never stop the boot.
//!
//! Two processes. This one only waits: it empties the output file, gives the worker its deadline
//! and writes the one line that comes back. The worker holds nothing of the caller's, so that a
//! worker which hangs on a disk or on xenstore holds nothing up.

use std::path::Path;
use std::time::{Duration, Instant};

use xvdguard_linux::child::{self, Ending};
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::observe::{Look, queues};
use xvdguard_linux::probe::{Orders, judge_all, probe_and_judge};
use xvdguard_linux::root::Root;
use xvdguard_linux::world::World;
use xvdguard_linux::{clock, kmsg, perform, reports, root_device};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::decide_boot::{BootDecision, RootDevice, decide_boot};
use xvdguard_logic::disk::{Disk, WriteCache};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::queue::{self, QueueAttribute};
use xvdguard_logic::policy::{Lever, Policy};
use xvdguard_logic::vbd::Vbd;
use xvdguard_logic::verdict::judge::NotSent;
use xvdguard_logic::verdict::report::{DiskReport, Report, SCHEMA};
use xvdguard_logic::wording;

use crate::arguments::Boot;
use crate::{options, policy};

/// Everything must be over by then; each step has its own end before it.
const DEADLINE: Duration = Duration::from_millis(3000);
const CONNECTED_UNTIL: Duration = Duration::from_millis(700);
const CONNECTION_LOOK: Duration = Duration::from_millis(20);
const XENSTORE_UNTIL: Duration = Duration::from_millis(1000);
const FLUSH: Duration = Duration::from_millis(1500);
const FLUSH_UNTIL: Duration = Duration::from_millis(2200);
const XENSTORE_AGAIN_UNTIL: Duration = Duration::from_millis(2500);
const SETTINGS_UNTIL: Duration = Duration::from_millis(2800);

/// Runs the worker within the deadline and hands its line on.
pub fn supervise(boot: &Boot) {
    let started = Instant::now();
    write_line(boot.output.as_deref(), "");
    let work = child::run(Box::new(|| work(boot, started).into_bytes()), started + DEADLINE);
    match work {
        Ok(Ending::Answered(line)) => {
            let line = String::from_utf8_lossy(&line).into_owned();
            if options::is_safe(&line) {
                write_line(boot.output.as_deref(), &line);
            }
        }
        // An empty answer: nothing is to be added.
        Ok(Ending::Died) => {}
        Ok(Ending::Silent) | Err(_) => {
            let said = wording::boot::out_of_time(DEADLINE.as_millis() as u64);
            if let Ok(root) = boot.places.open_root() {
                kmsg::say(&root, &[said]);
            }
        }
    }
}

/// Empty, or one line. A file that cannot be written whole is left empty.
fn write_line(output: Option<&Path>, line: &str) {
    let Some(path) = output else { return };
    let content = if line.is_empty() { String::new() } else { format!("{line}\n") };
    if std::fs::write(path, content).is_err() {
        let _ = std::fs::write(path, "");
    }
}

/// Everything; returns the line for root.
fn work(boot: &Boot, started: Instant) -> String {
    let Ok(mut world) = World::open(&boot.places, started + XENSTORE_UNTIL) else {
        return String::new();
    };
    let mut said = Vec::new();
    let (policy, words) = policy::read(&world.root, boot.policy.as_deref(), &mut said);
    if let Some(word) = &policy.inert {
        kmsg::say(&world.root, &[wording::boot::inert(word)]);
        return String::new();
    }
    let mut seen = look(&mut world, started);
    if !seen.xen.is_guest() {
        kmsg::say(&world.root, &[wording::boot::NOT_A_GUEST.into()]);
        return String::new();
    }
    read_limits(&world.root, &mut seen, &policy);
    let mut verdicts = verdicts(&mut world, &mut seen, &policy, started);
    let decision = decide(&world.root, &seen, &policy, &words, &mut verdicts, started);
    let line = options::line(boot.format, &boot.have, decision.root_needs_barrier_0);
    said.splice(0..0, seen.oddities.iter().cloned());
    said.extend(decision.said);
    said.extend(line.as_ref().err().cloned());
    report(&world, &seen, &policy, verdicts, &mut said);
    kmsg::say(&world.root, &said);
    line.unwrap_or_default()
}

/// Looks, and again until all vbds are connected: root's device may be the first of them. Not where
/// nobody drives them, as in a guest with emulated disks.
fn look(world: &mut World, started: Instant) -> Observation {
    let is_driven = world.root.stat(b"sys/bus/xen/drivers/vbd").is_ok();
    loop {
        let deadline = started + XENSTORE_UNTIL;
        let seen = world.observe(Look { depth: Depth::Decisive, deadline });
        let mut vbds = seen.disks.iter().filter_map(|disk| disk.vbd.as_ref());
        let is_awaited = is_driven && started.elapsed() < CONNECTED_UNTIL;
        if !(is_awaited && vbds.any(Vbd::is_connecting)) {
            return seen;
        }
        clock::pause(CONNECTION_LOOK);
    }
}

/// The limits that the policy sets, as they are now: the first look reads no other attribute.
fn read_limits(root: &Root, seen: &mut Observation, policy: &Policy) {
    let Observation { disks, oddities, .. } = seen;
    let wanted = |disk: &Disk| {
        queue::wanted(&policy.queue, disk).into_keys().map(QueueAttribute::name).collect()
    };
    queues::read(root, disks.iter_mut(), wanted, oddities);
}

fn verdicts(
    world: &mut World,
    seen: &mut Observation,
    policy: &Policy,
    started: Instant,
) -> Vec<DiskReport> {
    // This is the first look of this boot: there is no earlier report.
    let earlier = &[];
    if !policy.barrier.value.probes() {
        return judge_all(seen, earlier, Some(NotSent::ByPolicy));
    }
    let orders = Orders {
        wants: &|_| true,
        flush: FLUSH,
        deadline: started + FLUSH_UNTIL,
        after: started + XENSTORE_AGAIN_UNTIL,
    };
    probe_and_judge(world, seen, earlier, &orders)
}

/// Decides and acts; what came of each action goes into the verdicts and the sentences.
fn decide(
    root: &Root,
    seen: &Observation,
    policy: &Policy,
    words: &KernelWords,
    verdicts: &mut [DiskReport],
    started: Instant,
) -> BootDecision {
    let mut failures = Vec::new();
    let is_needed = needs_root(seen, policy);
    let look = || root_device(root, seen, words, started);
    let device = match is_needed.then(look) {
        Some(Err(error)) => {
            failures.push(error.to_string());
            None
        }
        found => found.and_then(Result::ok).flatten(),
    };
    let mut decision = decide_boot(policy, seen, verdicts, device.as_ref());
    decision.said.extend(failures);
    let results = perform::set_queues(root, &decision.settings, started + SETTINGS_UNTIL);
    for (setting, result) in decision.settings.iter().zip(results) {
        let sentence = wording::boot::setting(setting, result.map_err(|error| error.to_string()));
        let report = verdicts.iter_mut().find(|report| report.name == setting.disk);
        if let (Some(report), true) = (report, sentence.is_done) {
            report.note_setting(setting, clock::boot_ms());
        }
        decision.said.push(sentence.text);
    }
    // Last: a root that is silent would leave no time for the settings of the other disks.
    let device = if is_needed { device } else { look().ok().flatten() };
    if device.is_some_and(|device| device.has_errors) {
        decision.said.push(wording::boot::ROOT_HAS_ERRORS.into());
    }
    decision
}

/// Where the mount option may be the lever. Elsewhere a root that is not found, as one of NFS, is
/// no failure.
fn needs_root(seen: &Observation, policy: &Policy) -> bool {
    let mut disks = seen.disks.iter().filter(|disk| disk.device.is_some());
    policy.lever.value == Lever::Mount
        || disks.any(|disk| disk.write_cache() == WriteCache::Unknown)
}

fn root_device(
    root: &Root,
    seen: &Observation,
    words: &KernelWords,
    started: Instant,
) -> xvdguard_linux::error::Result<Option<RootDevice>> {
    let Some(word) = &words.root else { return Ok(None) };
    root_device::find(root, word, &seen.block, started + SETTINGS_UNTIL).map(Some)
}

fn report(
    world: &World,
    seen: &Observation,
    policy: &Policy,
    disks: Vec<DiskReport>,
    said: &mut Vec<String>,
) {
    let report = Report {
        schema: SCHEMA,
        tool: "xvdguard-early".into(),
        version: crate::VERSION.into(),
        boot_id: seen.boot_id.clone(),
        boot_ms: clock::boot_ms(),
        time: None,
        policy_hash: policy.hash.clone(),
        disks,
        said: said.clone(),
        xenstore: world.xenstore_use(),
    };
    let locked = reports::lock(&world.root, Duration::ZERO);
    let written =
        locked.and_then(|_lock| reports::write_report(&world.root, reports::EARLY, &report));
    if let Err(error) = written {
        said.push(format!("{error}; the report of early boot is missing. Do: xvdguard probe"));
    }
}
