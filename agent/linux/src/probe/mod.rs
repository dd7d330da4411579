//! Probe: one flush for each disk that may have one, and what came of it.
//!
//! Gathers evidence only: what it means is said in `xvdguard_logic::verdict`.

mod flush;
mod uring;

use std::time::{Duration, Instant};

use xvdguard_logic::block::DeviceNumber;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::judge::{self, Knowledge, NotSent, Probe, ProbeOutcome};
use xvdguard_logic::verdict::permission::{self, Permission};
use xvdguard_logic::verdict::report::{DiskReport, Report, earlier};

use crate::child::{self, Ending, Task};
use crate::clock;
use crate::root::Root;
use crate::world::World;
pub use flush::Method;
pub(crate) use flush::flush;

/// How far a run may go.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How long one flush may take.
    pub flush: Duration,
    /// When all flushes must be over.
    pub deadline: Instant,
    /// When xenstore must have answered after them.
    pub after: Instant,
}

/// Probes the disks named by `wants`, looks again, and judges every disk.
pub fn probe_and_judge(
    world: &mut World,
    seen: &mut Observation,
    reports: &[Report],
    order: &Orders<'_>,
) -> Vec<DiskReport> {
    let before = seen.disks.clone();
    let plan = plan(seen, reports, order.wants);
    let probes = send(&world.root, seen, &plan, order);
    let is_silent = |probe: &Probe| matches!(probe.outcome, ProbeOutcome::Silent { .. });
    let silent = probes.iter().filter(|(_, probe)| is_silent(probe)).map(|(name, _)| name);
    world.look_again(seen, &silent.collect::<Vec<_>>(), order.after);
    let judged = seen.disks.iter().map(|disk| {
        let earlier = earlier(reports, seen.boot_id.as_ref(), disk);
        let known = Knowledge {
            before: before.iter().find(|one| one.name == disk.name),
            probe: probes.iter().find(|(name, _)| *name == disk.name).map(|(_, probe)| *probe),
            earlier: &earlier,
        };
        judge::judge(disk, seen, known)
    });
    judged.collect()
}

/// Judges every disk by what is known, without a flush.
pub fn judge_all(seen: &Observation, reports: &[Report], why: Option<NotSent>) -> Vec<DiskReport> {
    let sent_ms = seen.boot_ms;
    let probe = why.map(|why| Probe { sent_ms, outcome: ProbeOutcome::NotSent(why) });
    let judged = seen.disks.iter().map(|disk| {
        let earlier = earlier(reports, seen.boot_id.as_ref(), disk);
        judge::judge(disk, seen, Knowledge { before: None, probe, earlier: &earlier })
    });
    judged.collect()
}

/// Which disks, and how far a run may go.
pub struct Orders<'a> {
    /// Whether a disk is to be probed.
    pub wants: &'a dyn Fn(&Text) -> bool,
    /// How long one flush may take.
    pub flush: Duration,
    /// When all flushes must be over.
    pub deadline: Instant,
    /// When xenstore must have answered after them.
    pub after: Instant,
}

struct Planned {
    name: Text,
    number: DeviceNumber,
    method: Method,
}

fn plan(seen: &Observation, reports: &[Report], wants: &dyn Fn(&Text) -> bool) -> Vec<Planned> {
    let disks = seen.disks.iter().filter(|disk| wants(&disk.name));
    let orders = disks.filter_map(|disk| {
        let earlier = earlier(reports, seen.boot_id.as_ref(), disk);
        let method = match permission::permission(disk, seen, &earlier) {
            Permission::Any => Method::RangedOrPlain,
            Permission::RangedOnly => Method::Ranged,
            Permission::None => return None,
        };
        let number = disk.device.as_ref()?.number;
        Some(Planned { name: disk.name.clone(), number, method })
    });
    orders.collect()
}

/// Sends the flushes side by side, in batches where the kernel's rate limited line is needed.
fn send(
    root: &Root,
    seen: &Observation,
    planned: &[Planned],
    order: &Orders<'_>,
) -> Vec<(Text, Probe)> {
    let batch = if permission::needs_log_line(seen.kernel) {
        permission::BATCH
    } else {
        planned.len().max(1)
    };
    let mut probes = Vec::new();
    for (index, planned) in planned.chunks(batch).enumerate() {
        let pause = Duration::from_millis(permission::BATCH_MS);
        let sent_ms = clock::boot_ms();
        if index > 0 && Instant::now() + pause >= order.deadline {
            let outcome = ProbeOutcome::NotSent(NotSent::RateLimited);
            probes.extend(planned.iter().map(|one| (one.name.clone(), Probe { sent_ms, outcome })));
            continue;
        }
        if index > 0 {
            clock::pause(pause);
        }
        probes.extend(send_batch(root, planned, order));
    }
    probes
}

fn send_batch(root: &Root, planned: &[Planned], order: &Orders<'_>) -> Vec<(Text, Probe)> {
    let sent_ms = clock::boot_ms();
    let deadline = order.deadline.min(Instant::now() + order.flush);
    let deadline_ms = deadline.saturating_duration_since(Instant::now()).as_millis() as u64;
    let tasks: Vec<Task<'_>> = planned
        .iter()
        .map(|one| {
            let task: Task<'_> =
                Box::new(|| flush::flush(root, &one.name, one.number, one.method).encode());
            task
        })
        .collect();
    let endings = child::run_all(tasks, deadline);
    let probed = planned.iter().zip(endings).map(|(one, ending)| {
        let outcome = match ending {
            Ok(Ending::Answered(bytes)) => flush::Answer::decode(&bytes).outcome(),
            Ok(Ending::Silent) => ProbeOutcome::Silent { deadline_ms },
            Ok(Ending::Died) | Err(_) => ProbeOutcome::NotSent(NotSent::NodeUnusable),
        };
        (one.name.clone(), Probe { sent_ms, outcome })
    });
    probed.collect()
}
