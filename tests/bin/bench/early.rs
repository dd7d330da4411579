//! `xvdguard-early` in a guest with 16 vbds: before root is mounted, and for the udev rule.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use harness::failure::{Failure, Result, Tried};
use xvdguard_linux::reports;
use xvdguard_linux::root::Root;
use xvdguard_logic::verdict::FlushVerdict;
use xvdguard_logic::verdict::report::XenstoreUse;

use crate::bench::Bench;
use crate::guest::{Guest, Size};
use crate::measure::{self, Contest, Sample};
use crate::report::{Chapter, Promise, Table, grouped};
use crate::rivals::Script;

const SIZE: Size = Size { disks: 16, mounts: 16 };
/// The slowest rival starts 225 processes a turn.
const ROUNDS: usize = 21;
const QUICK_ROUNDS: usize = 51;

/// Both commands.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let guest = Guest::new(bench, "early", SIZE)?;
    let mut chapter = Chapter::new(
        "Early boot with 16 vbds",
        "`xvdguard-early boot` as the hooks of an initramfs call it, against a real xenstored on \
         its socket: observe, judge, decide, report. The backends say that they take no flush, so \
         none is sent. The second row has a policy with limits for the queues, each set by a child \
         with a deadline. The rivals only read the same keys of xenstore.",
    );
    chapter.add(boot(bench, &guest)?);
    chapter.add(questions(bench, &guest)?);
    chapter.say(
        "`xvdguard-early queue xvda`, alone and as the udev rule calls it while a disk appears: \
         through `queue-limits`, which holds its limit. The rival reads the four keys of that \
         disk's backend that a rule can match.",
    );
    chapter.add(queue(bench, &guest)?);
    Ok(chapter)
}

fn boot(bench: &Bench, guest: &Guest) -> Result<Table> {
    let (by_key, by_vbd) = (Script::key_by_key(bench)?, Script::vbd_by_vbd(bench)?);
    guest.take_limits_back()?;
    let outcomes = Contest::of("`xvdguard-early boot`", || run(bench, guest))
        .against("the same, setting two limits of each disk", || run_with_limits(bench, guest))
        .against("sh, one xenstore-read for each key", || by_key.run(bench, guest))
        .against("sh, one xenstore-read for each directory", || by_vbd.run(bench, guest))
        .run(ROUNDS)?;
    let at_most = Promise::at_most_ms(outcomes[0].wall, 10);
    let promises = [at_most, None, Promise::more_than_times(outcomes[2].ratio, 20)];
    Ok(Table::of(&outcomes, &promises))
}

/// One run of `boot`.
pub fn run(bench: &Bench, guest: &Guest) -> Result<Sample> {
    measure::process(command(bench, guest)?)
}

fn run_with_limits(bench: &Bench, guest: &Guest) -> Result<Sample> {
    let mut command = command(bench, guest)?;
    command.arg("--policy").arg(guest.policy());
    let sample = measure::process(command)?;
    match guest.take_limits_back()? {
        true => Ok(sample),
        false => Err(Failure::new("early boot has not set the limits of every disk")),
    }
}

fn command(bench: &Bench, guest: &Guest) -> Result<Command> {
    let mut command = bench.command(&bench.program("xvdguard-early"))?;
    command.args(["boot", "--format", "plain", "-o"]).arg(bench.within("root-options"));
    command.arg("--root").arg(guest.root()).arg("--xenstore").arg(guest.socket());
    Ok(command)
}

/// What the last run asked, by its own report; as many answers as the script printed.
fn questions(bench: &Bench, guest: &Guest) -> Result<Table> {
    let XenstoreUse { round_trips, requests } = asked(guest)?;
    Script::key_by_key(bench)?.run(bench, guest)?;
    let output = bench.output();
    let answers = fs::read_to_string(&output).tried(format_args!("read {}", output.display()))?;
    // The script keeps to itself the list of the vbds and where each backend is.
    let rival = answers.lines().count() + 1 + guest.size.disks;
    if requests != rival as u64 {
        let why = format!("early boot asked {requests} questions, its rival {rival}");
        return Err(Failure::new(why));
    }
    let mut table = Table::new(&["what", "count"]);
    let cells = |what: &str, count| [what.to_owned(), grouped(count)];
    let waits = cells("waits for xenstore, each for all that was asked before", round_trips);
    table.row(&waits, Promise::at_most(round_trips, 3));
    table.row(&cells("questions in them; the first rival asks the same", requests), None);
    Ok(table)
}

/// What early boot's report says of the last run, if that run did what is measured here.
pub fn asked(guest: &Guest) -> Result<XenstoreUse> {
    let path = guest.root().as_os_str().as_bytes();
    let report = Root::at(path).and_then(|root| reports::read(&root, reports::EARLY));
    let report = report.tried("read the report of early boot")?;
    let report = report.ok_or_else(|| Failure::new("early boot has left no report"))?;
    let off = report.disks.iter().filter(|disk| disk.verdict == FlushVerdict::Off).count();
    if off != guest.size.disks {
        let what = format!("early boot judged {off} of {} disks to be off", guest.size.disks);
        return Err(Failure::new(what));
    }
    report.xenstore.ok_or_else(|| Failure::new("early boot has not asked xenstore"))
}

fn queue(bench: &Bench, guest: &Guest) -> Result<Table> {
    let script = Script::queue(bench)?;
    let ours = || run_queue(bench, guest);
    let limited = by_queue_limits(bench, guest)?;
    let by_rule = || {
        let mut command = bench.command(&limited)?;
        command.arg("xvda");
        measure::process(command)
    };
    for run in [&ours as &dyn Fn() -> Result<Sample>, &by_rule] {
        run()?;
        let said = fs::read_to_string(bench.output()).unwrap_or_default();
        if !said.contains("XVDGUARD_MAX_SECTORS_KB=1024\n") {
            return Err(Failure::new(format!("queue said {said:?} instead of the limits")));
        }
    }
    let outcomes = Contest::of("`xvdguard-early queue xvda`", ours)
        .against("`queue-limits xvda`", by_rule)
        .against("sh, five times xenstore-read", || script.run(bench, guest))
        .run(QUICK_ROUNDS)?;
    let at_most = |place: usize| Promise::at_most_ms(outcomes[place].wall, 20);
    Ok(Table::of(&outcomes, &[at_most(0), at_most(1)]))
}

/// One run of `queue`.
pub fn run_queue(bench: &Bench, guest: &Guest) -> Result<Sample> {
    measure::process(queue_command(bench, guest)?)
}

fn queue_command(bench: &Bench, guest: &Guest) -> Result<Command> {
    let mut command = bench.command(&bench.program("xvdguard-early"))?;
    command.args(["queue", "xvda", "--policy"]).arg(guest.policy());
    command.arg("--root").arg(guest.root()).arg("--xenstore").arg(guest.socket());
    Ok(command)
}

/// The script of the rule, which keeps its answer below this bench and asks this guest.
fn by_queue_limits(bench: &Bench, guest: &Guest) -> Result<PathBuf> {
    let (folder, answers) = (bench.within("lib"), bench.within("answers"));
    fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
    let within_limit = include_str!("../../../initramfs/within-limit");
    let within_limit = within_limit.replace("/run/xvdguard", &answers.display().to_string());
    let asks = queue_command(bench, guest)?;
    let words: Vec<String> =
        [asks.get_program()].into_iter().chain(asks.get_args()).map(quoted).collect();
    let early = format!("#!/bin/sh\nexec {}\n", words.join(" "));
    let queue_limits = include_str!("../../../initramfs/queue-limits").to_owned();
    let script = folder.join("queue-limits");
    for (name, text) in
        [("within-limit", within_limit), ("xvdguard-early", early), ("queue-limits", queue_limits)]
    {
        let path = folder.join(name);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
        let executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&path, executable).tried("make it executable")?;
    }
    Ok(script)
}

fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_string_lossy())
}
