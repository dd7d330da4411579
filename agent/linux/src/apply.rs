//! Carrying a plan out: queues, fstab, remounts, in this order; and back again where a step fails.
//!
//! Flushes are switched off before anything is remounted, and on again only afterwards, since a
//! remount writes to the journal. Each step looks again right before it acts. Never called without
//! the lock (`reports::lock`). Tests: `tests/plan/`, `tests/faults/`.

use std::time::{Duration, Instant};

use xvdguard_logic::effect::{Attribute, Outcome, QueueSetting};
use xvdguard_logic::fstab::Fstab;
use xvdguard_logic::plan::record::{Record, RecordedEdit};
use xvdguard_logic::plan::{Plan, Remount};
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::apply as wording;
use xvdguard_logic::wording::boot;

use crate::edits::WayBack;
use crate::error::{Error, Result};
use crate::observe::fstab::FSTAB;
use crate::perform;
use crate::remount;
use crate::rewrite::{Original, remove_leftover};
use crate::root::Root;
use crate::systemd;

/// How long a write to a queue may take.
const SETTING: Duration = Duration::from_secs(10);

/// How long a remount may take: it writes the journal out.
const REMOUNT: Duration = Duration::from_secs(60);

/// What is to be carried out.
pub struct Order<'a> {
    /// The machine.
    pub root: &'a Root,
    /// The plan.
    pub plan: &'a Plan,
    /// fstab as the plan was made from.
    pub fstab: &'a Fstab,
    /// An empty record, with the version that writes it.
    pub record: Record,
    /// Now, RFC 3339 in UTC.
    pub time: Option<String>,
    /// Whether flushes of this disk may be switched on again.
    pub may_flush: &'a dyn Fn(&Text) -> bool,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Applied {
    /// What was done and undone, in sentences.
    pub said: Vec<String>,
    /// Settings that were made and hold.
    pub settings: Vec<QueueSetting>,
    /// What failed; everything else is undone then.
    pub failure: Option<Error>,
    /// Whether something could not be undone.
    pub is_left: bool,
}

/// Something that was done, with what takes it back.
enum Step<'a> {
    Queue(&'a QueueSetting),
    Fstab { new: &'a [u8], before: Option<Record> },
    Remount(&'a Remount),
}

/// Removes what killed runs left half written.
pub fn remove_leftovers(root: &Root) -> Result<()> {
    remove_leftover(root, FSTAB)?;
    WayBack::find(root)?.map_or(Ok(()), |way_back| way_back.remove_leftovers())
}

/// Carries the plan out.
pub fn apply(order: &Order<'_>) -> Applied {
    let mut work = Work { order, steps: Vec::new(), applied: Applied::default() };
    if let Err(error) = work.run() {
        work.applied.failure = Some(error);
        work.undo();
    }
    work.applied
}

struct Work<'a> {
    order: &'a Order<'a>,
    steps: Vec<Step<'a>>,
    applied: Applied,
}

impl<'a> Work<'a> {
    fn run(&mut self) -> Result<()> {
        let Order { root, plan, .. } = self.order;
        let is_running = root.is_machine();
        let is_fstab_all = plan.queue.is_empty() && plan.remounts.is_empty();
        if !is_running && !is_fstab_all {
            self.applied.said.push(wording::OFFLINE.into());
        }
        let (on, off): (Vec<_>, Vec<_>) =
            plan.queue.iter().partition(|one| one.switches_flushes_on());
        if is_running {
            self.set(&off)?;
        }
        if let Some(new) = &plan.new_fstab {
            self.rewrite(new)?;
        }
        if is_running {
            plan.remounts.iter().try_for_each(|remount| self.remount(remount))?;
            self.set(&on)?;
        }
        self.settle();
        Ok(())
    }

    /// What is no longer needed of the way back goes when nothing can be undone any more. Where it
    /// stays, nothing is worse.
    fn settle(&mut self) {
        let Some(new) = &self.order.plan.new_fstab else { return };
        let settled = WayBack::open(self.order.root).and_then(|way_back| {
            let record = way_back.record()?.unwrap_or_else(|| self.order.record.clone());
            way_back.note_after(&record.in_force(new))
        });
        self.applied.said.extend(settled.err().map(|error| error.to_string()));
    }

    fn set(&mut self, settings: &[&'a QueueSetting]) -> Result<()> {
        let values: Vec<QueueSetting> = settings.iter().copied().cloned().collect();
        let results = perform::set_queues(self.order.root, &values, Instant::now() + SETTING);
        let mut failure = None;
        for (setting, result) in settings.iter().copied().zip(results) {
            match result {
                Err(error) => failure = failure.or(Some(error)),
                Ok(outcome) => {
                    let is_step = outcome != Outcome::AlreadySo;
                    self.applied.said.push(boot::setting(setting, Ok(outcome)).text);
                    self.steps.extend(is_step.then_some(Step::Queue(setting)));
                    self.applied.settings.extend(is_step.then(|| setting.clone()));
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn rewrite(&mut self, new: &'a Fstab) -> Result<()> {
        let Order { root, fstab, plan, .. } = self.order;
        let original = Original::read(root, FSTAB)?;
        if original.content() != fstab.to_bytes() {
            return Err(Error::content("replace", original.shown(), wording::FSTAB_CHANGED));
        }
        let way_back = WayBack::open(root)?;
        // One that cannot be understood tells nothing; fstab itself says what is ours.
        let before = way_back.record().unwrap_or_default();
        let after = self.record(before.as_ref());
        let is_first = fstab.own_edits().is_empty();
        self.steps.push(Step::Fstab { new: new.to_bytes(), before });
        way_back.note_before(is_first.then_some(fstab.to_bytes()), &after)?;
        original.replace(new.to_bytes())?;
        self.applied.said.extend(plan.fstab.iter().map(wording::line));
        self.reload();
        Ok(())
    }

    fn reload(&mut self) {
        if !systemd::reload(self.order.root) {
            self.applied.said.push(wording::NOT_RELOADED.into());
        }
    }

    /// What was ours, and what is going to be.
    fn record(&self, before: Option<&Record>) -> Record {
        let Order { plan, record, time, .. } = self.order;
        let ours = before.iter().flat_map(|before| before.edits.iter().cloned());
        let new = plan.fstab.iter().filter(|change| change.is_set()).map(|change| RecordedEdit {
            source: change.source.clone(),
            mount_point: change.mount_point.clone(),
            old: change.old.clone(),
            new: change.new.clone(),
            reason: change.why.reason.clone(),
            rule: change.why.rule.into(),
            time: time.clone(),
        });
        Record { edits: ours.chain(new).collect(), ..record.clone() }
    }

    fn remount(&mut self, remount: &'a Remount) -> Result<()> {
        let outcome = remount::remount(self.order.root, remount, Instant::now() + REMOUNT)?;
        self.applied.said.push(wording::remounted(remount, &outcome));
        if outcome != Outcome::AlreadySo {
            self.steps.push(Step::Remount(remount));
        }
        Ok(())
    }

    /// Takes back what was done, the last first. What fails here is said and left.
    fn undo(&mut self) {
        self.applied.settings.clear();
        while let Some(step) = self.steps.pop() {
            let undone = match step {
                Step::Queue(setting) => self.undo_setting(setting),
                Step::Fstab { new, before } => self.undo_fstab(new, before),
                Step::Remount(remount) => self.undo_remount(remount),
            };
            match undone {
                Ok(said) => self.applied.said.extend(said),
                Err(error) => {
                    self.applied.is_left = true;
                    self.applied.said.push(error.to_string());
                }
            }
        }
    }

    fn undo_setting(&mut self, setting: &QueueSetting) -> Result<Option<String>> {
        if setting.attribute == Attribute::WriteCache && !(self.order.may_flush)(&setting.disk) {
            self.applied.settings.push(setting.clone());
            return Ok(Some(wording::setting_left(setting)));
        }
        let back = QueueSetting { new: setting.old.clone(), ..setting.clone() };
        let until = Instant::now() + SETTING;
        perform::set_queues(self.order.root, &[back], until)
            .into_iter()
            .collect::<Result<Vec<_>>>()?;
        Ok(Some(wording::setting_undone(setting)))
    }

    fn undo_fstab(&mut self, new: &[u8], before: Option<Record>) -> Result<Option<String>> {
        let Order { root, fstab, record, .. } = self.order;
        let original = Original::read(root, FSTAB)?;
        let is_ours = original.content() == new;
        if is_ours {
            original.replace(fstab.to_bytes())?;
        }
        WayBack::open(root)?.note_after(&before.unwrap_or_else(|| record.clone()))?;
        if is_ours {
            self.reload();
        }
        Ok(is_ours.then(|| wording::FSTAB_UNDONE.into()))
    }

    fn undo_remount(&self, done: &Remount) -> Result<Option<String>> {
        let back = Remount { barrier: !done.barrier, ..done.clone() };
        remount::remount(self.order.root, &back, Instant::now() + REMOUNT)?;
        Ok(Some(wording::remount_undone(done)))
    }
}
