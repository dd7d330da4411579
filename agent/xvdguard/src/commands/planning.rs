//! What `plan`, `apply` and `revert` share: the look, how a plan is shown, how one is carried out.

use std::process::ExitCode;

use xvdguard_linux::apply::{self, Applied, Order};
use xvdguard_linux::observe::fstab::{self, FSTAB, Table};
use xvdguard_linux::probe::judge_all;
use xvdguard_linux::rewrite::Original;
use xvdguard_linux::{child, clock, reports};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::plan::record::Record;
use xvdguard_logic::plan::{Finding, Plan, Situation};
use xvdguard_logic::policy::Policy;
use xvdguard_logic::policy::settings::Settings;
use xvdguard_logic::verdict::report::{DiskReport, SCHEMA};
use xvdguard_logic::wording::{apply as said, plan as wording};

use super::{PATIENCE, Session, Voice, print_disks, report, rfc_3339, say_oddities, stamp};
use crate::exit::Failure;
use crate::{diff, json, terminal};

/// Everything that a plan is made from.
pub struct Look {
    pub seen: Observation,
    pub disks: Vec<DiskReport>,
    pub table: Table,
    pub policy: Policy,
}

/// What came of a plan.
#[derive(Debug, Default)]
pub struct Came {
    pub outcome: Outcome,
    pub said: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    #[default]
    Nothing,
    /// Shown only.
    Planned,
    /// Carried out.
    Done,
    /// It failed, and what was done before is undone.
    Undone,
    /// It failed, and something could not be undone; or nothing was begun.
    Failed,
}

impl Outcome {
    /// As in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Nothing => "nothing",
            Outcome::Planned => "planned",
            Outcome::Done => "done",
            Outcome::Undone => "undone",
            Outcome::Failed => "failed",
        }
    }
}

impl Look {
    /// Looks. `settings` says whether a wrong configuration is in the way.
    pub fn new(
        session: &mut Session,
        settings: fn(&Session, &mut Observation) -> Result<Settings, Failure>,
    ) -> Result<Look, Failure> {
        let mut seen = session.observe();
        let earlier = reports::read_all(&session.world.root, &mut seen.oddities);
        let mut disks = judge_all(&seen, &earlier, None);
        stamp(&mut disks, &session.world);
        let table = fstab::read(&session.world.root, &mut seen).map_err(Failure::Input)?;
        let policy = settings(session, &mut seen)?.policy;
        Ok(Look { seen, disks, table, policy })
    }

    pub fn situation(&self) -> Situation<'_> {
        let Table { fstab, carriers, lost, kernels, mount_units } = &self.table;
        let (policy, seen, reports) = (&self.policy, &self.seen, &*self.disks);
        Situation { policy, seen, reports, fstab, carriers, lost, kernels, mount_units }
    }

    /// Says why fstab could not be replaced as it is, before anybody tries.
    pub fn note_obstacle(&self, session: &Session, plan: &mut Plan) {
        if plan.new_fstab.is_none() {
            return;
        }
        if let Err(error) = Original::read(&session.world.root, FSTAB) {
            plan.findings.push(Finding::not_replaceable(error.to_string()));
        }
    }

    /// Shows the plan, and what came of it.
    pub fn show(&self, plan: &Plan, came: &Came, voice: Voice) {
        say_oddities(&self.seen, voice);
        if voice.json {
            let oddities = &self.seen.oddities;
            return terminal::print(&json::plan(plan, &self.disks, came, oddities));
        }
        if !voice.quiet && came.outcome == Outcome::Planned {
            print_disks(&self.disks.iter().collect::<Vec<_>>(), &self.seen, voice);
        }
        self.print_diff(plan);
        lines(plan, voice).iter().for_each(|line| terminal::print(&format!("{line}\n")));
    }

    fn print_diff(&self, plan: &Plan) {
        let Some(new) = &plan.new_fstab else { return };
        let names = ["/etc/fstab", "/etc/fstab (planned)"];
        let old = self.table.fstab.to_bytes();
        terminal::print(&diff::unified(old, new.to_bytes(), names));
    }
}

/// The lists of a plan, reasons below each change.
fn lines(plan: &Plan, voice: Voice) -> Vec<String> {
    let mut lines = Vec::new();
    let mut change = |line: String, reason: &str| {
        lines.push(line);
        lines.extend((!voice.quiet).then(|| format!("{:8}   {reason}", "")));
    };
    plan.fstab.iter().for_each(|one| change(wording::line(one), &one.why.reason));
    plan.queue.iter().for_each(|one| change(wording::setting(one), &one.reason));
    plan.remounts.iter().for_each(|one| change(wording::remount(one), &one.why.reason));
    lines.extend(plan.root_flags.iter().map(wording::root_flags));
    if !voice.quiet {
        lines.extend(plan.waits.iter().map(|sentence| wording::later(sentence)));
        lines.extend(plan.findings.iter().map(wording::finding));
    }
    lines
}

/// Takes the lock, and clears away what killed runs left. Without root only another
/// directory may be changed.
pub fn begin(session: &mut Session, what: &'static str) -> Result<reports::Lock, Failure> {
    let root = &session.world.root;
    if root.is_machine() && !child::is_privileged() {
        return Err(Failure::Privileges(what));
    }
    let lock = reports::lock(root, PATIENCE).map_err(Failure::Output)?;
    apply::remove_leftovers(root).map_err(Failure::Output)?;
    Ok(lock)
}

/// Carries a plan out, keeps which settings are ours, and says what came of it.
pub fn carry_out(session: &Session, look: &mut Look, plan: &Plan) -> Came {
    let situation = look.situation();
    let may_flush = |disk: &_| situation.may_flush(std::slice::from_ref(disk));
    let record = Record {
        schema: SCHEMA,
        tool: "xvdguard".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        edits: Vec::new(),
    };
    let applied = apply::apply(&Order {
        root: &session.world.root,
        plan,
        fstab: &look.table.fstab,
        record,
        time: rfc_3339(clock::unix_ms()),
        may_flush: &may_flush,
    });
    keep(session, look, &applied);
    let Applied { mut said, failure, is_left, .. } = applied;
    let outcome = match &failure {
        None => Outcome::Done,
        Some(_) if is_left => Outcome::Failed,
        Some(_) => Outcome::Undone,
    };
    if let Some(error) = failure {
        let end = if is_left { said::LEFT } else { said::UNDONE };
        said.push(format!("{error}; {end}"));
    }
    Came { outcome, said }
}

/// What was set is ours until it is taken back: without this report `revert` would not know.
fn keep(session: &Session, look: &mut Look, applied: &Applied) {
    if applied.settings.is_empty() {
        return;
    }
    for setting in &applied.settings {
        let disk = look.disks.iter_mut().find(|disk| disk.name == setting.disk);
        if let Some(disk) = disk {
            disk.note_setting(setting, clock::boot_ms());
        }
    }
    let report = report(session, &look.seen, &look.disks);
    if let Err(error) = reports::write_report(&session.world.root, reports::APPLY, &report) {
        look.seen.oddities.push(format!("{error}; revert will not know of these settings"));
    }
}

/// Prints what came of it, and ends.
pub fn end(look: &Look, plan: &Plan, came: &Came, voice: Voice) -> ExitCode {
    if voice.json {
        look.show(plan, came, voice);
    } else {
        say_oddities(&look.seen, voice);
        let later = plan.waits.iter().map(|sentence| wording::later(sentence));
        let lines = came.said.iter().cloned().chain(later.filter(|_| !voice.quiet));
        lines.for_each(|line| terminal::print(&format!("{line}\n")));
    }
    match came.outcome {
        Outcome::Nothing | Outcome::Planned | Outcome::Done => ExitCode::SUCCESS,
        Outcome::Undone | Outcome::Failed => ExitCode::FAILURE,
    }
}
