//! The verdict, row by row. Expected values: the measurements on a real Xen (5.10, 6.1, 6.12,
//! 7.2) and the words of the design. Never a recording: those are judged by the golden tests.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::disk::sample;
use crate::kernel_log::KernelLog;
use crate::kernel_log::record::Record;
use crate::kernel_version::KernelVersion;
use crate::text::Text;

const FLUSH: (&str, &str) = ("feature-flush-cache", "1");
const FLUSH_0: (&str, &str) = ("feature-flush-cache", "0");
const BARRIER: (&str, &str) = ("feature-barrier", "1");
const BARRIER_0: (&str, &str) = ("feature-barrier", "0");
const CONNECTED: &str = "blkfront: xvdb: flush diskcache: enabled; persistent grants: enabled;";
const CONNECTED_BARRIER: &str = "blkfront: xvdb: barrier: enabled; persistent grants: enabled;";
const GIVEN_UP: &str = "blkfront: xvdb: barrier or flush: disabled; persistent grants: enabled;";
const RETURNED: Probe = Probe { sent_ms: 2000, outcome: ProbeOutcome::Returned { took_us: 3100 } };

/// A world with one disk, to be bent by each test.
struct World {
    disk: Disk,
    before: Option<Disk>,
    seen: Observation,
    probe: Option<Probe>,
    earlier: Vec<DiskReport>,
}

impl World {
    fn new(kernel: (u16, u16), keys: &[(&str, &str)], lines: &[&str]) -> Self {
        let mut log = KernelLog::default();
        for (index, line) in lines.iter().enumerate() {
            let sequence = index as u64;
            let boot_us = (1000 + sequence) * 1000;
            log.take(&Record { priority: 4, sequence, boot_us, text: line.as_bytes() });
        }
        let kernel = Some(KernelVersion::new(kernel.0, kernel.1, 0));
        let seen = Observation { boot_ms: 2010, kernel, log, ..Observation::default() };
        World {
            disk: sample::disk("xvdb", keys),
            before: None,
            seen,
            probe: None,
            earlier: Vec::new(),
        }
    }

    fn probed(mut self) -> Self {
        self.probe = Some(RETURNED);
        self
    }

    fn probe(mut self, outcome: ProbeOutcome) -> Self {
        self.probe = Some(Probe { sent_ms: 2000, outcome });
        self
    }

    fn write_through(mut self) -> Self {
        if let Some(device) = &mut self.disk.device {
            device.queue.insert("write_cache".into(), "write through".into());
        }
        self
    }

    fn not_blkfront(mut self) -> Self {
        if let Some(device) = &mut self.disk.device {
            device.is_blkfront = false;
        }
        self
    }

    fn before(mut self, keys: &[(&str, &str)]) -> Self {
        self.before = Some(sample::disk("xvdb", keys));
        self
    }

    fn report(&self) -> DiskReport {
        let earlier: Vec<&DiskReport> = self.earlier.iter().collect();
        let known =
            Knowledge { before: self.before.as_ref(), probe: self.probe, earlier: &earlier };
        judge(&self.disk, &self.seen, known)
    }

    fn verdict(&self) -> FlushVerdict {
        self.report().verdict
    }
}

#[test]
fn a_healthy_disk_is_proven_by_a_probe_and_untested_without() {
    for kernel in [(5, 10), (6, 1), (6, 12), (7, 2)] {
        let world = World::new(kernel, &[FLUSH, BARRIER], &[CONNECTED]);
        assert_eq!(world.verdict(), FlushVerdict::Untested);
        assert_eq!(world.probed().verdict(), FlushVerdict::Proven);
    }
}

#[test]
fn a_refused_flush_is_refused_on_every_kernel() {
    let line = "blkfront: xvdb: flush op failed";
    let old = World::new((6, 1), &[FLUSH_0, BARRIER], &[CONNECTED, line, GIVEN_UP]);
    assert_eq!(old.write_through().probed().verdict(), FlushVerdict::Refused);
    let new = World::new((6, 12), &[FLUSH_0, BARRIER], &[CONNECTED, line]);
    assert_eq!(new.probed().verdict(), FlushVerdict::Refused);
}

#[test]
fn an_error_answer_is_failing_by_the_line_alone() {
    let line = "blkfront: xvdb: empty flush op failed";
    let report = World::new((7, 2), &[FLUSH, BARRIER], &[CONNECTED, line]).probed().report();
    assert_eq!(report.verdict, FlushVerdict::Failing);
    assert!(report.evidence.iter().any(|fact| fact.text == line), "{report:?}");
}

#[test]
fn a_barrier_only_backend_is_judged_like_a_flush_backend() {
    let refused = "blkfront: xvdb: barrier op failed";
    let failed = "blkfront: xvdb: empty barrier op failed";
    let world = |keys: &[_], line| World::new((5, 10), keys, &[CONNECTED_BARRIER, line, GIVEN_UP]);
    let refusing = world(&[BARRIER_0], refused).write_through().probed();
    assert_eq!(refusing.verdict(), FlushVerdict::Refused);
    let failing = world(&[BARRIER], failed).write_through().probed();
    assert_eq!(failing.verdict(), FlushVerdict::Failing);
}

#[test]
fn a_key_that_drops_is_a_refusal_even_where_the_line_is_missing() {
    let by_look = World::new((6, 12), &[FLUSH_0, BARRIER], &[]).before(&[FLUSH, BARRIER]);
    assert_eq!(by_look.probed().verdict(), FlushVerdict::Refused);
    let by_log = World::new((6, 12), &[FLUSH_0, BARRIER], &[CONNECTED]);
    assert_eq!(by_log.verdict(), FlushVerdict::Refused);
    let mut by_report = World::new((6, 12), &[FLUSH_0, BARRIER_0], &[]);
    let flush = Some(Advertised::Flush);
    by_report.earlier = vec![DiskReport::new(&by_report.disk, flush)];
    assert_eq!(by_report.verdict(), FlushVerdict::Refused);
}

#[test]
fn an_earlier_proof_holds_while_the_log_is_whole_since() {
    let mut world = World::new((6, 12), &[FLUSH], &[CONNECTED]).probed();
    world.earlier = vec![world.report()];
    world.probe = None;
    world.seen.log.gap(1500);
    assert_eq!(world.verdict(), FlushVerdict::Proven, "the gap was before the probe at 2000 ms");
    let evidence = world.report().evidence;
    assert!(evidence.iter().any(|fact| fact.source == Source::Probe), "{evidence:?}");
    world.seen.log.gap(2500);
    assert_eq!(world.verdict(), FlushVerdict::Untested);
}

#[test]
fn a_key_that_could_not_be_read_is_not_absent() {
    let mut world = World::new((6, 1), &[("mode", "w")], &[CONNECTED]);
    if let Some(vbd) = &mut world.disk.vbd {
        vbd.is_unread = true;
    }
    assert_eq!(world.verdict(), FlushVerdict::Untested);
    world.seen.log = KernelLog::default();
    assert_eq!(world.probed().verdict(), FlushVerdict::Untested);
}

#[test]
fn absent_and_off_are_no_failures() {
    let disabled = "blkfront: xvdb: barrier or flush: disabled; persistent grants: enabled;";
    let absent = World::new((6, 1), &[], &[disabled]).write_through();
    assert_eq!(absent.verdict(), FlushVerdict::Absent);
    let off = World::new((6, 1), &[FLUSH_0, BARRIER_0], &[disabled]).write_through();
    assert_eq!(off.verdict(), FlushVerdict::Off);
}

#[test]
fn a_read_only_vbd_is_absent_whatever_it_advertises() {
    let report = World::new((6, 1), &[FLUSH, ("mode", "r")], &[CONNECTED]).report();
    assert_eq!((report.verdict, report.reason.as_str()), (FlushVerdict::Absent, "read-only"));
}

#[test]
fn a_gap_in_the_log_leaves_a_probe_unproven() {
    let mut world = World::new((6, 12), &[FLUSH], &[CONNECTED]).probed();
    world.seen.log.gap(1500);
    let report = world.report();
    assert_eq!(report.verdict, FlushVerdict::Untested);
    assert!(report.reason.contains("gap"), "{report:?}");
}

#[test]
fn write_through_without_a_failure_was_written_by_somebody() {
    let world = World::new((6, 1), &[FLUSH], &[CONNECTED]).write_through();
    assert_eq!(world.verdict(), FlushVerdict::SwitchedOff);
    let mut ours = World::new((6, 1), &[FLUSH], &[]).write_through();
    let mut report = DiskReport::new(&ours.disk, Some(Advertised::Flush));
    report.switched_off_by_us = true;
    ours.earlier = vec![report];
    let report = ours.report();
    assert_eq!(report.verdict, FlushVerdict::SwitchedOff);
    assert!(report.reason.contains("xvdguard") && report.switched_off_by_us, "{report:?}");
}

#[test]
fn write_through_with_a_lost_cause_is_lost_on_old_kernels_only() {
    let mut old = World::new((6, 1), &[FLUSH], &[CONNECTED]).write_through();
    old.seen.log.gap(1500);
    assert_eq!(old.verdict(), FlushVerdict::Lost);
    let mut new = World::new((6, 12), &[FLUSH], &[CONNECTED]).write_through();
    new.seen.log.gap(1500);
    assert_eq!(new.verdict(), FlushVerdict::SwitchedOff);
    let given_up = World::new((6, 1), &[FLUSH], &[CONNECTED, GIVEN_UP]).write_through();
    assert_eq!(given_up.verdict(), FlushVerdict::Lost);
}

#[test]
fn an_errno_counts_only_where_the_driver_is_not_blkfront() {
    let world = |errno| World::new((6, 18), &[FLUSH], &[]).probe(ProbeOutcome::Error { errno });
    assert_eq!(world(5).verdict(), FlushVerdict::Untested);
    assert_eq!(world(5).not_blkfront().verdict(), FlushVerdict::Failing);
    assert_eq!(world(95).not_blkfront().verdict(), FlushVerdict::Refused);
    let dropped = World::new((6, 18), &[FLUSH_0], &[]).before(&[FLUSH]);
    let both = dropped.probe(ProbeOutcome::Error { errno: 5 }).not_blkfront();
    assert_eq!(both.verdict(), FlushVerdict::Refused);
}

#[test]
fn what_xvdguard_did_is_told_with_every_verdict() {
    let line = "blkfront: xvdb: flush op failed";
    let mut world = World::new((6, 1), &[FLUSH_0], &[CONNECTED, line]).write_through();
    let mut report = DiskReport::new(&world.disk, Some(Advertised::Flush));
    report.evidence = vec![Evidence::new(Source::Action, "xvdguard wrote", 1500)];
    report.switched_off_by_us = true;
    world.earlier = vec![report.clone(), report];
    let report = world.report();
    let actions = report.evidence.iter().filter(|fact| fact.source == Source::Action);
    assert_eq!((report.verdict, actions.count()), (FlushVerdict::Refused, 1));
}

#[test]
fn the_piece_that_tips_the_scale_comes_last() {
    let dropped = World::new((6, 18), &[FLUSH_0], &[]).before(&[FLUSH]);
    let report = dropped.probe(ProbeOutcome::Error { errno: 5 }).not_blkfront().report();
    let texts: Vec<_> = report.evidence.iter().map(|fact| fact.text.as_str()).collect();
    let expected = [
        "feature-flush-cache = 0",
        "a flush of the node returned EIO",
        "feature-flush-cache went from 1 to 0 on this connection",
    ];
    assert_eq!(texts, expected);
}

#[test]
fn an_earlier_finding_holds_for_its_connection_only() {
    let mut world = World::new((6, 12), &[FLUSH], &[]);
    let mut report = DiskReport::new(&world.disk, Some(Advertised::Flush));
    report.verdict = FlushVerdict::Failing;
    world.earlier = vec![report.clone()];
    assert_eq!(world.verdict(), FlushVerdict::Failing);
    let boot_id = Some(Text::from("b"));
    let whole = super::super::report::Report {
        schema: 1,
        tool: "xvdguard".into(),
        version: "0".into(),
        boot_id: boot_id.clone(),
        boot_ms: 1,
        time: None,
        policy_hash: None,
        disks: vec![report],
        said: Vec::new(),
        xenstore: None,
    };
    let reports = [whole];
    let earlier = |boot: &Option<Text>, disk: &Disk| {
        super::super::report::earlier(&reports, boot.as_ref(), disk).len()
    };
    assert_eq!(earlier(&boot_id, &world.disk), 1);
    assert_eq!(earlier(&Some("c".into()), &world.disk), 0);
    assert_eq!(earlier(&None, &world.disk), 0);
    let mut migrated = world.disk.clone();
    if let Some(vbd) = &mut migrated.vbd {
        vbd.backend_path = Some("/local/domain/0/backend/vbd/2/51712".into());
    }
    assert_eq!(earlier(&boot_id, &migrated), 0);
}

#[test]
fn a_silent_backend_is_untested_and_said_to_be_silent() {
    let world = World::new((6, 1), &[FLUSH], &[CONNECTED]);
    let report = world.probe(ProbeOutcome::Silent { deadline_ms: 2500 }).report();
    assert_eq!(report.verdict, FlushVerdict::Untested);
    assert!(report.reason.contains("silent"), "{report:?}");
}

/// What stands between an untested disk and its verdict is what a person can change.
#[test]
fn an_untested_disk_says_why() {
    let why = |outcome: Option<ProbeOutcome>, was_proven: bool| {
        let mut world = World::new((6, 1), &[FLUSH], &[CONNECTED]).probed();
        if was_proven {
            world.earlier = vec![world.report()];
        }
        world.seen.log.complete_since_ms = None;
        world.probe = outcome.map(|outcome| Probe { sent_ms: 2000, outcome });
        world.report().untested
    };
    assert_eq!(why(None, false), Some(Untested::NotProbed));
    assert_eq!(why(None, true), Some(Untested::LogGap));
    assert_eq!(why(Some(RETURNED.outcome), false), Some(Untested::LogGap));
    let strange = ProbeOutcome::Error { errno: 28 };
    assert_eq!(why(Some(strange), true), Some(Untested::StrangeError));
    let silent = ProbeOutcome::Silent { deadline_ms: 2500 };
    assert_eq!(why(Some(silent), true), Some(Untested::Silent));
}
