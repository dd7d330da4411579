//! Programs below strace(1), which counts their system calls and spoils one of them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use harness::deadline;
use harness::scratch::Scratch;

use crate::stage::Stage;

/// Nothing here takes longer, on a busy machine either.
const LIMIT: Duration = Duration::from_secs(60);

/// One system call of a program, and what becomes of it.
#[derive(Debug, Clone, Copy)]
pub struct Spoil<'a> {
    /// `openat2`
    pub call: &'a str,
    /// Its first, its second, …: strace counts each call by itself, in each process.
    pub when: usize,
    /// `signal=KILL`, `error=EIO`
    pub what: &'a str,
}

/// How a run ended.
pub struct Ended {
    /// Whether a signal ended it.
    pub is_killed: bool,
    /// Whether a call was answered by strace.
    pub is_answered: bool,
    /// What the program printed.
    pub output: String,
    trace: String,
}

/// Runs a command with one call spoilt.
pub fn spoil(command: &Command, spoil: Spoil<'_>) -> Ended {
    let Spoil { call, when, what } = spoil;
    run(command, call, &["-e", &format!("inject={call}:{what}:when={when}")])
}

/// How often a command makes each of these calls; what `strace -e trace=` takes. The highest count
/// of all its processes.
pub fn counts(command: &Command, calls: &str) -> Vec<(String, usize)> {
    let mut by_process: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in run(command, calls, &[]).trace.lines() {
        let Some((process, rest)) = line.split_once(' ') else { continue };
        let call = rest.trim_start().split('(').next().unwrap_or_default();
        if call.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            *by_process.entry((process.into(), call.into())).or_default() += 1;
        }
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for ((_, call), count) in by_process {
        let highest = counts.entry(call).or_default();
        *highest = count.max(*highest);
    }
    counts.into_iter().collect()
}

fn run(command: &Command, calls: &str, more: &[&str]) -> Ended {
    let folder = Scratch::new("trace").unwrap();
    let file = folder.path().join("trace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "--seccomp-bpf", "-e", &format!("trace={calls}"), "-o"]).arg(&file);
    strace.args(more).arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
    // cargo's, which makes the loader look in many places.
    strace.env_remove("LD_LIBRARY_PATH");
    let ended = deadline::within(LIMIT, move || strace.output()).expect("no end").unwrap();
    let trace = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
    let [out, err] = [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    Ended {
        is_killed: ended.status.signal().is_some(),
        is_answered: trace.contains("(INJECTED)"),
        output: out + &err,
        trace,
    }
}

/// Spoils every one of these calls, one in each run, until there is none left; `check` says whether
/// there was one. Returns how many there were. Side by side, each thread with a stage of its own.
pub fn each(
    mut calls: Vec<(String, usize)>,
    check: impl Fn(&mut Stage, &str, usize) -> bool + Sync,
) -> usize {
    // The longest last, that is first, so that no thread ends long before the others.
    calls.sort_by_key(|(_, count)| *count);
    let (left, check) = (&Mutex::new(calls), &check);
    let work = || {
        let (mut stage, mut tried) = (Stage::new(), 0);
        let take = || left.lock().unwrap().pop();
        while let Some((call, count)) = take() {
            // Another process of the program may make a call that this one no longer makes.
            let has_more = |when: &usize| check(&mut stage, &call, *when) || *when < count;
            tried += (1..).take_while(has_more).count();
        }
        tried
    };
    thread::scope(|scope| {
        let count = thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(work)).collect();
        let tried = threads.into_iter().map(|thread| thread.join());
        tried.map(|tried| tried.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).sum()
    })
}
