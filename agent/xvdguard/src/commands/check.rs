//! `check`: the audit, for people and for monitoring. Sends nothing, changes nothing.
//!
//! Exit codes are those of monitoring plugins, and no others: 0 for ok and infos, 1 for warnings,
//! 2 for critical findings, 3 where the audit could not look.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use xvdguard_linux::observe::setup;
use xvdguard_linux::probe::judge_all;
use xvdguard_linux::root::Root;
use xvdguard_linux::{reports, source};
use xvdguard_logic::audit::setup::Setup;
use xvdguard_logic::audit::{self, Case, Finding, Problem, Severity};
use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::order;
use xvdguard_logic::policy::Policy;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording;
use xvdguard_logic::wording::check::Monitored;

use super::{Session, Voice, nothing_to_guard, say_oddities};
use crate::arguments::{Check, Global};
use crate::config::{self, Configuration, Problems};
use crate::exit::Failure;
use crate::{json, terminal};

/// How long the files of the root file system may take: monitors give a plugin 10 s.
const FILES_WAIT: Duration = Duration::from_secs(5);

/// Columns of the text.
const WIDTH: usize = 96;

/// What the audit adds up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worst {
    /// Nothing was found.
    Ok,
    /// This is the worst that was found.
    Found(Severity),
    /// It could not look at everything, and found nothing critical.
    Unknown,
}

/// What was looked at, and what was found.
struct Audited {
    seen: Observation,
    disks: usize,
    findings: Vec<Finding>,
    /// Why not everything could be looked at.
    blind: Option<String>,
}

/// Runs the command.
pub fn run(mut session: Session, global: &Global, options: &Check) -> Result<ExitCode, Failure> {
    if options.rules {
        print_rules();
        return Ok(ExitCode::SUCCESS);
    }
    let audited = audit(&mut session, global);
    let worst = Worst::of(&audited);
    let Audited { seen, disks, findings, blind } = &audited;
    let blind = blind.as_deref();
    if options.nagios {
        let monitored = Monitored { worst: worst.word(), findings, blind, disks: *disks };
        terminal::print(&wording::check::nagios(monitored));
    } else if session.voice.json {
        terminal::print(&json::check(worst.word(), findings, seen));
    } else {
        say_oddities(seen, session.voice);
        // The files of a machine that does not run may be a guest's.
        let is_over = worst == Worst::Ok && seen.boot_id.is_some();
        match nothing_to_guard(seen).filter(|_| is_over) {
            Some(line) => terminal::print(&format!("{line}\n")),
            None => print(worst, &audited, session.voice),
        }
    }
    Ok(worst.code())
}

/// Looks at everything, and applies the rules.
fn audit(session: &mut Session, global: &Global) -> Audited {
    let mut seen = session.observe();
    let root = &session.world.root;
    let reports = reports::read_all(root, &mut seen.oddities);
    let disks = judge_all(&seen, &reports, None);
    let files = setup::read(root, Instant::now() + FILES_WAIT, &mut seen.oddities);
    let blind = files.as_ref().err().map(ToString::to_string);
    seen.oddities.extend(blind.clone());
    let setup = Setup::from_files(&files.unwrap_or_default());
    // The configuration lies where the other files do: whoever waited for them waits no longer.
    let read = blind.is_none().then(|| config::load(root, global.config.as_deref()));
    let (policy, problems) = policy(read, &seen);
    let case = Case {
        seen: &seen,
        setup: &setup,
        carriers: &carriers(root, &setup, &seen),
        disks: &disks,
        reports: &reports,
        policy: &policy,
        problems: &problems,
    };
    let findings = audit::audit(&case);
    Audited { disks: disks.len(), findings, blind, seen }
}

/// The policy in force, and what is wrong with the configuration: then it is the defaults', as
/// where the root file system does not answer.
fn policy(
    read: Option<Result<Configuration, Problems>>,
    seen: &Observation,
) -> (Policy, Vec<Problem>) {
    let words = KernelWords::parse(&seen.command_line);
    let (read, problems) = match read.unwrap_or_else(|| Ok(Configuration::default())) {
        Ok(read) => (read, Vec::new()),
        Err(problems) => (Configuration::default(), problems.list),
    };
    let problem = |one: config::Problem| {
        let place = [one.place.line, one.place.column].into_iter().flatten();
        let place = place.fold(one.file.to_string(), |place, number| format!("{place}:{number}"));
        Problem { place, text: one.text, remedy: one.remedy }
    };
    (read.settings.effective(&words).policy, problems.into_iter().map(problem).collect())
}

/// The block device of each line of fstab, where that can be found.
fn carriers(root: &Root, setup: &Setup, seen: &Observation) -> BTreeMap<usize, Text> {
    let found = setup.fstab.entries().filter_map(|entry| {
        let carrier = source::find(root, &entry.source, &seen.block).ok()?;
        Some((entry.line, carrier.name))
    });
    order::gather(found)
}

impl Worst {
    fn of(audited: &Audited) -> Self {
        match audit::worst(&audited.findings) {
            Some(Severity::Critical) => Worst::Found(Severity::Critical),
            _ if audited.blind.is_some() => Worst::Unknown,
            Some(severity) => Worst::Found(severity),
            None => Worst::Ok,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Worst::Ok => "ok",
            Worst::Found(severity) => severity.word(),
            Worst::Unknown => "unknown",
        }
    }

    fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Worst::Ok | Worst::Found(Severity::Info) => 0,
            Worst::Found(Severity::Warning) => 1,
            Worst::Found(Severity::Critical) => 2,
            Worst::Unknown => 3,
        })
    }
}

fn print(worst: Worst, audited: &Audited, voice: Voice) {
    let Audited { findings, blind, .. } = audited;
    for finding in findings {
        let line = wording::check::head(finding);
        terminal::print(&(voice.paint.severity(finding.severity, &line) + "\n"));
        if voice.quiet {
            return;
        }
        for line in wording::check::body(finding, WIDTH) {
            terminal::print(&(line + "\n"));
        }
    }
    terminal::print(&(wording::check::summary(worst.word(), findings, blind.as_deref()) + "\n"));
}

fn print_rules() {
    for rule in audit::rules() {
        terminal::print(&(wording::check::rule(rule) + "\n"));
    }
}
