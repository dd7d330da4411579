//! The programs under test, as they were built: where they are, and what a run of one came to.
//!
//! `XVDGUARD_BIN_DIR` names the folder with the shipped ones (`make build`); without it they are
//! built beside the test, so that no test ever runs an old one. Each run has a process group of
//! its own, by which its children are found after it has ended. Never waits without a limit.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::deadline;
use crate::failure::{Failure, Result, Tried};
use crate::program;

/// What a run of a program came to.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: Vec<u8>,
    /// All of standard error.
    pub stderr: Vec<u8>,
    /// How long it took until it had ended and both streams were at their end.
    pub took: Duration,
    /// The process group that it and its children were in.
    pub group: u32,
}

impl Ran {
    /// Standard output as text.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Its children that are still there, each as `PID STATE` (proc(5)). Zombies are gone but for
    /// their name: whoever is their parent now has not asked yet.
    pub fn left(&self) -> Vec<String> {
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        let living = processes.filter_map(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let (_, after_name) = stat.rsplit_once(") ")?;
            let mut fields = after_name.split(' ');
            let state = fields.next()?;
            let group = fields.nth(1)?.parse::<u32>().ok()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            (group == self.group && state != "Z").then(|| format!("{name} {state}"))
        });
        living.collect()
    }
}

/// Where `xvdguard` is. A test that has none fails.
pub fn xvdguard() -> PathBuf {
    path_or_panic("xvdguard")
}

/// Where `xvdguard-early` is. A test that has none fails.
pub fn early() -> PathBuf {
    path_or_panic("xvdguard-early")
}

#[expect(clippy::panic, reason = "without the program under test there is nothing to skip")]
fn path_or_panic(name: &str) -> PathBuf {
    path(name).unwrap_or_else(|failure| panic!("{failure}"))
}

/// A command that runs one of our programs.
pub fn command(name: &str) -> Result<Command> {
    Ok(Command::new(path(name)?))
}

/// Runs a command to its end and the end of what it prints.
pub fn run(mut command: Command, limit: Duration) -> Result<Ran> {
    let what = format!("run {command:?}");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let ended = deadline::within(limit, move || {
        let begin = Instant::now();
        let child = command.spawn()?;
        let group = child.id();
        let output = child.wait_with_output()?;
        Ok::<_, std::io::Error>((group, output, begin.elapsed()))
    });
    let late = || Failure::new(format!("cannot {what}: no end within {limit:?}"));
    let (group, output, took) = ended.ok_or_else(late)?.tried(&what)?;
    let code = output.status.code();
    if let Some(signal) = output.status.signal() {
        return Err(Failure::new(format!("cannot {what}: signal {signal} ended it")));
    }
    Ok(Ran { code, stdout: output.stdout, stderr: output.stderr, took, group })
}

/// Where one of our programs is.
pub fn path(name: &str) -> Result<PathBuf> {
    if let Some(folder) = env::var_os("XVDGUARD_BIN_DIR") {
        let path = Path::new(&folder).join(name);
        let missing = || format!("{} is not there: make build", path.display());
        return if path.is_file() { Ok(path) } else { Err(Failure::new(missing())) };
    }
    static BUILT: Mutex<BTreeMap<String, Result<PathBuf>>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.entry(name.to_owned()).or_insert_with(|| build(name)).clone()
}

/// Built as the whole workspace is, which shares what it compiles with the tests.
fn build(name: &str) -> Result<PathBuf> {
    let ours = program::ours()?;
    // target/debug/deps/probe-0123, or target/debug/demo.
    let above = ours.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let (Some(profile), Some(target)) = (above, above.and_then(Path::parent)) else {
        return Err(Failure::new(format!("{} was not built by cargo", ours.display())));
    };
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--workspace", "--bin", name, "--target-dir"]).arg(target);
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    program::output(cargo.current_dir(env!("CARGO_MANIFEST_DIR")))?;
    Ok(profile.join(name))
}
