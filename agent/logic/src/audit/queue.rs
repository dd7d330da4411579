//! The configuration: whether it holds at all, and queue limits that the kernel did not take.

use alloc::format;
use alloc::vec::Vec;

use super::{Case, Hit, Rule, Severity};
use crate::policy::queue;
use crate::wording::audit::queue as say;

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "configuration-wrong",
        severity: Severity::Warning,
        meaning: say::CONFIGURATION_WRONG,
        look: wrong,
    },
    Rule {
        id: "queue-limit-not-in-force",
        severity: Severity::Warning,
        meaning: say::QUEUE_LIMIT_NOT_IN_FORCE,
        look: not_in_force,
    },
];

fn wrong(case: &Case<'_>) -> Vec<Hit> {
    let problems = case.problems.iter();
    problems.map(|problem| Hit::new(&*problem.place, say::configuration_wrong(problem))).collect()
}

fn not_in_force(case: &Case<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for disk in &case.seen.disks {
        let read = disk.device.as_ref().filter(|device| !device.queue_is_silent);
        let Some(device) = read else { continue };
        for (attribute, wanted) in queue::wanted(&case.policy.queue, disk) {
            let has = device.queue.get(attribute.name()).map(|shown| attribute.current(shown));
            if has.as_ref() != Some(&wanted.value) {
                let place = format!("{} queue/{attribute}", disk.name);
                hits.push(Hit::new(place, say::not_in_force(attribute, &wanted, has.as_ref())));
            }
        }
    }
    hits
}
