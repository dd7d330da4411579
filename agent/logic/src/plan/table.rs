//! Every cell of the decision table: mode, verdict, kernels, lever, rewrite_fstab.
//!
//! The rows are the design's, written out by hand. Each is tried on a root that was never touched
//! and on one that has our `barrier=0` in fstab and in force.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::sample::{ALL_MODES, Machine};
use super::{ChangeKind, Plan};
use crate::policy::BarrierMode::{self, Auto, Leave, Off, On};
use crate::policy::{Lever, RewriteFstab};
use crate::verdict::FlushVerdict::{self, *};

/// The first runs, all are installed: no `write_cache`; one that aborts; one that does not; one
/// that does not beside one that does.
const KERNELS: [&[(u16, u16)]; 4] = [&[(3, 16)], &[(6, 1)], &[(6, 12)], &[(6, 12), (6, 1)]];

/// What is done, one word each: `set` and `restore` of the line, `0` and `1` of remounts, `through`
/// of the queue, `root` of root flags.
type Cell = &'static str;

struct Row {
    mode: BarrierMode,
    verdicts: &'static [FlushVerdict],
    lever: Lever,
    /// For a root that was never touched, by `KERNELS`.
    untouched: [Cell; 4],
    /// For one with our edit, by `KERNELS`.
    edited: [Cell; 4],
}

const ALL: &[FlushVerdict] = &[
    FlushVerdict::Absent,
    FlushVerdict::Off,
    Untested,
    Proven,
    Refused,
    Failing,
    Lost,
    SwitchedOff,
];
/// Verdicts that tell neither for nor against.
const SILENT: &[FlushVerdict] = &[FlushVerdict::Absent, FlushVerdict::Off, Untested, SwitchedOff];
/// Verdicts of an outage.
const OUTAGE: &[FlushVerdict] = &[Failing, Lost];
/// Verdicts with which a flush may be sent.
const WELL: &[FlushVerdict] =
    &[FlushVerdict::Absent, FlushVerdict::Off, Untested, Proven, SwitchedOff];
/// Verdicts with which a flush would fail.
const ILL: &[FlushVerdict] = &[Refused, Failing, Lost];

const NONE: [Cell; 4] = [""; 4];

const fn row(
    mode: BarrierMode,
    verdicts: &'static [FlushVerdict],
    lever: Lever,
    cells: [[Cell; 4]; 2],
) -> Row {
    let [untouched, edited] = cells;
    Row { mode, verdicts, lever, untouched, edited }
}

const TABLE: [Row; 24] = [
    row(Auto, &[Proven], Lever::Auto, [NONE, ["restore 1"; 4]]),
    row(Auto, &[Proven], Lever::Queue, [NONE, ["restore 1"; 4]]),
    row(Auto, &[Proven], Lever::Mount, [NONE, ["restore 1"; 4]]),
    row(Auto, SILENT, Lever::Auto, [NONE, NONE]),
    row(Auto, SILENT, Lever::Queue, [NONE, NONE]),
    row(Auto, SILENT, Lever::Mount, [NONE, NONE]),
    row(
        Auto,
        &[Refused],
        Lever::Auto,
        [["set 0 root", "set through", "", "set"], ["", "through", "", ""]],
    ),
    row(Auto, &[Refused], Lever::Queue, [["", "through", "", ""], ["", "through", "", ""]]),
    row(Auto, &[Refused], Lever::Mount, [["set 0 root", "set 0 root", "", "set"], NONE]),
    row(Auto, OUTAGE, Lever::Auto, [NONE, NONE]),
    row(Auto, OUTAGE, Lever::Queue, [NONE, NONE]),
    row(Auto, OUTAGE, Lever::Mount, [NONE, NONE]),
    row(
        Off,
        ALL,
        Lever::Auto,
        [
            ["set 0 root", "set through", "set through", "set through"],
            ["", "through", "through", "through"],
        ],
    ),
    row(
        Off,
        ALL,
        Lever::Queue,
        [["", "through", "through", "through"], ["", "through", "through", "through"]],
    ),
    row(Off, ALL, Lever::Mount, [["set 0 root"; 4], NONE]),
    row(On, WELL, Lever::Auto, [NONE, ["restore 1"; 4]]),
    row(On, WELL, Lever::Queue, [NONE, ["restore 1"; 4]]),
    row(On, WELL, Lever::Mount, [NONE, ["restore 1"; 4]]),
    row(On, ILL, Lever::Auto, [NONE, ["restore"; 4]]),
    row(On, ILL, Lever::Queue, [NONE, ["restore"; 4]]),
    row(On, ILL, Lever::Mount, [NONE, ["restore"; 4]]),
    row(Leave, ALL, Lever::Auto, [NONE, NONE]),
    row(Leave, ALL, Lever::Queue, [NONE, NONE]),
    row(Leave, ALL, Lever::Mount, [NONE, NONE]),
];

const UNTOUCHED: &str = "/dev/xvda / ext4 noatime 0 1\n";
const EDITED: &str = "# xvdguard: was noatime\n/dev/xvda / ext4 noatime,barrier=0 0 1\n";

fn words(plan: &Plan) -> BTreeSet<&'static str> {
    let lines = plan.fstab.iter().map(|change| change.kind.word());
    let queue = plan.queue.iter().map(|setting| {
        assert_eq!(setting.new, "write through");
        "through"
    });
    let remounts = plan.remounts.iter().map(|remount| if remount.barrier { "1" } else { "0" });
    let root = plan.root_flags.iter().map(|_| "root");
    lines.chain(queue).chain(remounts).chain(root).collect()
}

/// The words of a cell; where fstab is never rewritten, without the edit that adds something.
fn expected(cell: Cell, rewrite: RewriteFstab) -> BTreeSet<&'static str> {
    let is_allowed = |word: &&str| rewrite == RewriteFstab::Auto || *word != ChangeKind::Set.word();
    cell.split_ascii_whitespace().filter(is_allowed).collect()
}

/// Tries one cell on each kernel, untouched and edited; returns how many it tried.
fn check(row: &Row, verdict: FlushVerdict, rewrite: RewriteFstab) -> usize {
    let untouched = KERNELS.iter().zip(row.untouched).map(|cell| (UNTOUCHED, "rw", cell));
    let edited = KERNELS.iter().zip(row.edited).map(|cell| (EDITED, "rw,nobarrier", cell));
    let mut tried = 0;
    for (fstab, options, (kernels, cell)) in untouched.chain(edited) {
        let mut machine = Machine::with_kernels(kernels);
        machine.policy(row.mode, row.lever, rewrite);
        machine.disk("xvda", 0, verdict);
        machine.mount(0, "/", "ext4", options);
        machine.fstab(fstab);
        let place = (row.mode, verdict, row.lever, rewrite, kernels, fstab);
        assert_eq!(words(&machine.plan()), expected(cell, rewrite), "{place:?}");
        tried += 1;
    }
    tried
}

#[test]
fn every_cell_of_the_decision_table_is_planned() {
    let rewrites = [RewriteFstab::Auto, RewriteFstab::Never];
    let cells = TABLE.iter().flat_map(|row| row.verdicts.iter().map(move |verdict| (row, verdict)));
    let tried = cells.flat_map(|(row, verdict)| rewrites.map(|one| check(row, *verdict, one)));
    // Modes, verdicts, levers, rewrite_fstab, kernels, edited or not.
    assert_eq!(tried.sum::<usize>(), 4 * 8 * 3 * 2 * 4 * 2);
}

#[test]
fn no_cell_is_there_twice() {
    let cells: Vec<_> = TABLE
        .iter()
        .flat_map(|row| row.verdicts.iter().map(move |verdict| (row.mode, *verdict, row.lever)))
        .collect();
    let unique: BTreeSet<_> = cells.iter().map(|cell| alloc::format!("{cell:?}")).collect();
    assert_eq!((cells.len(), unique.len()), (ALL_MODES.len() * ALL.len() * 3, cells.len()));
}
