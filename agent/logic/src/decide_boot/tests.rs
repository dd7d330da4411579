//! The early column of the decision table, cell by cell.

use alloc::collections::BTreeMap;
use alloc::vec;

use super::*;
use crate::disk::sample;
use crate::kernel_version::KernelVersion;
use crate::policy::Chosen;
use crate::policy::queue::QueueAttribute;
use crate::policy::queue::QueueRule;
use crate::vbd::advertised::Advertised;

const ALL_VERDICTS: [FlushVerdict; 8] = [
    FlushVerdict::Absent,
    FlushVerdict::Off,
    FlushVerdict::Untested,
    FlushVerdict::Proven,
    FlushVerdict::Refused,
    FlushVerdict::Failing,
    FlushVerdict::Lost,
    FlushVerdict::SwitchedOff,
];

fn policy(mode: BarrierMode, lever: Lever) -> Policy {
    let (barrier, lever) = (Chosen::by_default(mode), Chosen::by_default(lever));
    Policy { barrier, lever, ..Policy::default() }
}

fn world(kernel: (u16, u16), write_cache: Option<&str>) -> Observation {
    let mut disk = sample::disk("xvda", &[("feature-flush-cache", "1"), ("mode", "w")]);
    if let Some(device) = &mut disk.device {
        device.queue.clear();
        device.queue.extend(write_cache.map(|value| ("write_cache".into(), value.into())));
    }
    let kernel = Some(KernelVersion::new(kernel.0, kernel.1, 0));
    Observation { kernel, disks: vec![disk], ..Observation::default() }
}

fn decide(policy: &Policy, seen: &Observation, verdict: FlushVerdict) -> BootDecision {
    let mut report = DiskReport::new(&seen.disks[0], Some(Advertised::Flush));
    report.verdict = verdict;
    let root = RootDevice { disks: vec!["xvda".into()], is_ext3_or_ext4: true, has_errors: false };
    decide_boot(policy, seen, &[report], Some(&root))
}

fn writes_through(decision: &BootDecision) -> bool {
    decision
        .settings
        .iter()
        .any(|setting| setting.attribute == Attribute::WriteCache && setting.new == "write through")
}

#[test]
fn auto_switches_off_only_what_is_refused_and_deadly() {
    let auto = policy(BarrierMode::Auto, Lever::Auto);
    for verdict in ALL_VERDICTS {
        let old = decide(&auto, &world((6, 1), Some("write back")), verdict);
        assert_eq!(writes_through(&old), verdict == FlushVerdict::Refused, "{verdict}");
        assert!(!old.root_needs_barrier_0);
        let new = decide(&auto, &world((6, 12), Some("write back")), verdict);
        assert!(!writes_through(&new) && !new.root_needs_barrier_0, "{verdict}");
    }
}

#[test]
fn what_blkfront_switched_off_itself_is_left_alone() {
    let auto = policy(BarrierMode::Auto, Lever::Auto);
    let decision = decide(&auto, &world((6, 1), Some("write through")), FlushVerdict::Refused);
    assert_eq!(decision.settings, []);
}

#[test]
fn below_4_7_root_is_mounted_without_barriers() {
    let auto = policy(BarrierMode::Auto, Lever::Auto);
    let decision = decide(&auto, &world((3, 2), None), FlushVerdict::Refused);
    assert!(decision.root_needs_barrier_0 && decision.settings.is_empty());
    let failing = decide(&auto, &world((3, 2), None), FlushVerdict::Failing);
    assert!(!failing.root_needs_barrier_0);
}

#[test]
fn root_flags_are_added_only_to_ext3_and_ext4_on_that_disk() {
    let auto = policy(BarrierMode::Auto, Lever::Auto);
    let seen = world((3, 2), None);
    let mut report = DiskReport::new(&seen.disks[0], None);
    report.verdict = FlushVerdict::Refused;
    let xfs = RootDevice { disks: vec!["xvda".into()], is_ext3_or_ext4: false, has_errors: false };
    let elsewhere =
        RootDevice { disks: vec!["xvdb".into()], is_ext3_or_ext4: true, has_errors: false };
    for root in [Some(&xfs), Some(&elsewhere), None] {
        let decision = decide_boot(&auto, &seen, core::slice::from_ref(&report), root);
        assert!(!decision.root_needs_barrier_0, "{root:?}");
    }
}

#[test]
fn off_switches_off_every_verdict_on_every_kernel() {
    let off = policy(BarrierMode::Off, Lever::Auto);
    for verdict in ALL_VERDICTS {
        for kernel in [(5, 10), (7, 2)] {
            assert!(writes_through(&decide(&off, &world(kernel, Some("write back")), verdict)));
        }
        assert!(decide(&off, &world((3, 2), None), verdict).root_needs_barrier_0);
    }
}

#[test]
fn on_and_leave_never_switch_off() {
    for mode in [BarrierMode::On, BarrierMode::Leave] {
        for verdict in ALL_VERDICTS {
            let seen = world((5, 10), Some("write back"));
            let decision = decide(&policy(mode, Lever::Auto), &seen, verdict);
            assert!(decision.settings.is_empty() && !decision.root_needs_barrier_0);
        }
    }
}

#[test]
fn the_lever_is_the_one_that_was_chosen() {
    let seen = world((6, 1), Some("write back"));
    let mount = decide(&policy(BarrierMode::Auto, Lever::Mount), &seen, FlushVerdict::Refused);
    assert!(mount.root_needs_barrier_0 && mount.settings.is_empty());
    let queue = policy(BarrierMode::Auto, Lever::Queue);
    let old = decide(&queue, &world((3, 2), None), FlushVerdict::Refused);
    assert!(!old.root_needs_barrier_0 && old.settings.is_empty());
}

#[test]
fn a_driver_that_hands_errors_on_is_deadly_on_every_kernel() {
    let mut seen = world((7, 2), Some("write back"));
    if let Some(device) = &mut seen.disks[0].device {
        device.is_blkfront = false;
    }
    let auto = policy(BarrierMode::Auto, Lever::Auto);
    assert!(writes_through(&decide(&auto, &seen, FlushVerdict::Refused)));
}

#[test]
fn queue_limits_are_written_where_they_differ() {
    let mut seen = world((6, 1), Some("write back"));
    if let Some(device) = &mut seen.disks[0].device {
        device.queue.insert("max_sectors_kb".into(), "128".into());
        device.queue.insert("scheduler".into(), "[none] mq-deadline".into());
    }
    let settings = BTreeMap::from([
        (QueueAttribute::MaxSectorsKb, Chosen::by_default(Text::from("64"))),
        (QueueAttribute::Scheduler, Chosen::by_default(Text::from("none"))),
        (QueueAttribute::WbtLatUsec, Chosen::by_default(Text::from("0"))),
    ]);
    let mut auto = policy(BarrierMode::Auto, Lever::Auto);
    auto.queue = vec![QueueRule { settings, ..QueueRule::default() }];
    let decision = decide(&auto, &seen, FlushVerdict::Proven);
    let written: Vec<_> = decision.settings.iter().map(|one| one.attribute).collect();
    assert_eq!(written, [Attribute::Limit(QueueAttribute::MaxSectorsKb)]);
}
