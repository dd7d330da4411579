//! fstab: which lines change, and which are only spoken of.
//!
//! Lines of one super block change together or not at all: the first mount decides its options.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use super::wish::Wish;
use super::{ChangeKind, Finding, LineChange, Remount, Situation, Why, finding, is_ext3_or_ext4};
use crate::fstab::{Change, Edit, Edited, Entry, Fstab, OwnEditState};
use crate::grammar::{self, Barriers, Prediction, When};
use crate::kernel_version::KernelRelease;
use crate::order;
use crate::policy::RewriteFstab;
use crate::text::Text;
use crate::wording::plan as wording;

/// What becomes of fstab.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub changes: Vec<LineChange>,
    pub fstab: Option<Fstab>,
    pub findings: Vec<Finding>,
    /// Block devices by name: those whose lines get `barrier=0`, and those that lose it again.
    pub switched_off: BTreeMap<Text, Why>,
    pub taken_back: BTreeMap<Text, Why>,
}

/// The lines of one super block.
struct Group<'a> {
    /// The block device that carries it, where it was found.
    carrier: Option<&'a Text>,
    lines: Vec<&'a Entry>,
}

/// What is to be done with a group.
struct Order {
    edits: Vec<(usize, Edit)>,
    why: Why,
    carrier: Option<Text>,
}

pub(super) fn plan(situation: &Situation<'_>) -> Lines {
    let mut planner = Planner::new(situation);
    let orders = groups(situation).iter().filter_map(|group| planner.order(group)).collect();
    planner.carry_out(orders);
    planner.lines
}

/// All our edits taken back. An error: what somebody changed since.
pub(super) fn revert(situation: &Situation<'_>) -> Result<Lines, Vec<Finding>> {
    let mut planner = Planner::new(situation);
    let mut changed = finding::orphans(situation);
    let mut orders = Vec::new();
    for group in groups(situation) {
        let why = Why { rule: "revert", reason: wording::REVERT.into() };
        let edits = planner.take_back(&group).unwrap_or_default();
        orders.push(Order { edits, why, carrier: group.carrier.cloned() });
    }
    planner.carry_out(orders);
    changed.append(&mut planner.lines.findings);
    if changed.is_empty() { Ok(planner.lines) } else { Err(changed) }
}

/// Entries by what carries them, in the order of the file; one that is not known is alone.
fn groups<'a>(situation: &Situation<'a>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let mut places: BTreeMap<&Text, usize> = BTreeMap::new();
    for entry in situation.fstab.entries() {
        let carrier = situation.carriers.get(&entry.line);
        match carrier.and_then(|carrier| places.get(carrier)) {
            Some(place) => groups[*place].lines.push(entry),
            None => {
                places.extend(carrier.map(|carrier| (carrier, groups.len())));
                groups.push(Group { carrier, lines: [entry].into() });
            }
        }
    }
    groups
}

struct Planner<'a> {
    situation: &'a Situation<'a>,
    /// Lines with a comment of ours above, and whether they are as we left them.
    own: BTreeMap<usize, bool>,
    /// Whether `barrier=0` is known to every kernel, for each of `TYPES`.
    is_known: [bool; 2],
    lines: Lines,
}

/// The types that a line may have to be edited.
const TYPES: [&str; 2] = ["ext3", "ext4"];

impl<'a> Planner<'a> {
    fn new(situation: &'a Situation<'a>) -> Self {
        let own = situation.fstab.own_edits();
        let own = own.iter().filter_map(|own| match own.state {
            OwnEditState::Intact(line) => Some((line, true)),
            OwnEditState::ChangedSince(line) => Some((line, false)),
            OwnEditState::Orphaned => None,
        });
        let is_known = TYPES.map(|fstype| takes_barrier_0(&Text::from(fstype), situation.kernels));
        Planner { situation, own: order::gather(own), is_known, lines: Lines::default() }
    }

    fn order(&mut self, group: &Group<'_>) -> Option<Order> {
        let disks = group.carrier.map(|carrier| self.situation.seen.block.bottom(carrier));
        let (edits, why) = match self.situation.wish(disks.as_deref()) {
            Wish::Nothing => return None,
            Wish::SwitchOff(why) => (self.switch_off(group, &why)?, why),
            Wish::TakeBack(why) => (self.take_back(group)?, why),
        };
        Some(Order { edits, why, carrier: group.carrier.cloned() })
            .filter(|one| !one.edits.is_empty())
    }

    /// Our own edits of a group; none at all where somebody changed one since.
    fn take_back(&mut self, group: &Group<'_>) -> Option<Vec<(usize, Edit)>> {
        let ours = group.lines.iter().filter(|entry| self.own.contains_key(&entry.line));
        let ours: Vec<&&Entry> = ours.collect();
        let changed: Vec<_> = ours.iter().filter(|entry| !self.own[&entry.line]).collect();
        let findings = changed.iter().map(|entry| Finding::at(entry, wording::CHANGED_SINCE));
        self.lines.findings.extend(findings);
        changed.is_empty().then(|| ours.iter().map(|entry| (entry.line, Edit::Restore)).collect())
    }

    fn switch_off(&mut self, group: &Group<'_>, why: &Why) -> Option<Vec<(usize, Edit)>> {
        let mut edits = Vec::new();
        let mut obstacles = Vec::new();
        for entry in &group.lines {
            match self.fitness(entry) {
                Fitness::Editable => edits.push((entry.line, Edit::BarrierOff)),
                Fitness::OffAlready => {}
                Fitness::Beside(said) => self.lines.findings.push(Finding::at(entry, said)),
                Fitness::Obstacle(said) => obstacles.push(Finding::at(entry, said)),
            }
        }
        if edits.is_empty() || !obstacles.is_empty() {
            self.lines.findings.append(&mut obstacles);
            return None;
        }
        if self.situation.policy.rewrite_fstab.value == RewriteFstab::Never {
            let never =
                group.lines.iter().filter(|entry| edits.contains(&(entry.line, Edit::BarrierOff)));
            let findings = never.map(|entry| Finding::never(entry, &why.reason));
            self.lines.findings.extend(findings);
            return None;
        }
        Some(edits)
    }

    /// Whether a line of a group that wants `barrier=0` may have it.
    fn fitness(&self, entry: &Entry) -> Fitness {
        if entry.fstype == "swap" {
            return Fitness::Beside(wording::SWAP);
        }
        if entry.options.has("noauto") {
            return Fitness::Beside(wording::NOAUTO);
        }
        if !is_ext3_or_ext4(&entry.fstype) {
            return Fitness::Obstacle(wording::OTHER_TYPE);
        }
        if !self.is_known_everywhere(&entry.fstype) {
            return Fitness::Obstacle(wording::UNKNOWN_TO_A_KERNEL);
        }
        if self.own.get(&entry.line) == Some(&false) {
            return Fitness::Obstacle(wording::CHANGED_SINCE);
        }
        let last = entry.options.barrier_words().pop();
        match last.as_ref().and_then(Text::as_str) {
            Some("barrier=0" | "nobarrier") => Fitness::OffAlready,
            _ => Fitness::Editable,
        }
    }

    /// Whether every kernel that may be booted takes `barrier=0`, at a mount and at a remount.
    fn is_known_everywhere(&self, fstype: &Text) -> bool {
        let index = usize::from(*fstype == TYPES[1]);
        self.is_known[index]
    }

    /// All orders at once; one that fstab does not allow is dropped and said.
    fn carry_out(&mut self, mut orders: Vec<Order>) {
        let edited = loop {
            let edits: Vec<_> =
                orders.iter().flat_map(|order| order.edits.iter().copied()).collect();
            match self.situation.fstab.edit(&edits) {
                Ok(edited) => break edited,
                Err(error) => {
                    let has_line =
                        |order: &Order| order.edits.iter().any(|(line, _)| *line == error.line);
                    orders.retain(|order| !has_line(order));
                    self.lines.findings.push(Finding::cannot_edit(error));
                }
            }
        };
        self.note(&orders, edited);
    }

    fn note(&mut self, orders: &[Order], edited: Edited) {
        let edits =
            orders.iter().flat_map(|order| order.edits.iter().map(move |(line, _)| (*line, order)));
        let by_line: BTreeMap<usize, &Order> = order::gather(edits);
        let mut seen = BTreeSet::new();
        for change in edited.changes {
            let Some(order) = by_line.get(&change.line) else { continue };
            if let Some(carrier) = order.carrier.clone().filter(|one| seen.insert(one.clone())) {
                match change.edit {
                    Edit::BarrierOff => self.lines.switched_off.insert(carrier, order.why.clone()),
                    Edit::Restore => self.lines.taken_back.insert(carrier, order.why.clone()),
                };
            }
            let change = self.line_change(change, &order.why);
            self.lines.changes.extend(change);
        }
        if !self.lines.changes.is_empty() {
            self.lines.fstab = Some(edited.fstab);
        }
    }

    fn line_change(&self, change: Change, why: &Why) -> Option<LineChange> {
        let entry = self.situation.fstab.entry(change.line)?;
        let kind = match change.edit {
            Edit::BarrierOff => ChangeKind::Set,
            Edit::Restore => ChangeKind::Restore,
        };
        Some(LineChange {
            kind,
            line: change.line,
            source: entry.source.clone(),
            mount_point: entry.mount_point.clone(),
            old: change.old,
            new: change.new,
            why: why.clone(),
        })
    }
}

fn takes_barrier_0(fstype: &Text, kernels: &[KernelRelease]) -> bool {
    let option = Text::from(Remount::option(false));
    [When::Mount, When::Remount].iter().all(|when| {
        let answer = grammar::predict_all(fstype, kernels, &option, *when);
        answer == Prediction::Accepted(Some(Barriers::Off))
    })
}

/// Whether a line may have `barrier=0`.
enum Fitness {
    Editable,
    /// It has it, or `nobarrier`.
    OffAlready,
    /// It is left out, and the others of its group change all the same.
    Beside(wording::Said),
    /// The group stays as it is.
    Obstacle(wording::Said),
}
