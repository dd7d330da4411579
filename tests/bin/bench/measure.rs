//! What a run took, and rivals that run by turns, so that a busy machine is busy for all of them.
//!
//! Medians only: a mean would tell what else the machine did. The ratio of two rivals is the
//! median of the ratios of their turns.

use std::ffi::OsString;
use std::hint::black_box;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use harness::failure::{Failure, Result, Tried};
use harness::program;
use nix::libc;
use rustix::process::{chdir, chroot};
use rustix::thread::{UnshareFlags, unshare_unsafe};
use rustix::time::{ClockId, clock_gettime};

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// From the start to the end.
    pub wall: Duration,
    /// Of all processors, in user space and in the kernel.
    pub cpu: Duration,
}

/// Work that is measured; called many times.
pub type Job<'a> = Box<dyn FnMut() -> Result<Sample> + 'a>;

/// A whole process with its children, from before fork to after exit.
pub fn process(command: Command) -> Result<Sample> {
    process_ending(command, 0)
}

/// The same for a process that has to end with this code.
pub fn process_ending(mut command: Command, code: i32) -> Result<Sample> {
    let started = Instant::now();
    let child = command.spawn().tried(format_args!("run {command:?}"))?;
    let (status, usage) = wait(child.id()).tried(format_args!("wait for {command:?}"))?;
    let wall = started.elapsed();
    if status.code() != Some(code) {
        return Err(Failure::new(format!("{command:?} ended with {status}")));
    }
    Ok(Sample { wall, cpu: time(usage.ru_utime) + time(usage.ru_stime) })
}

/// The word that makes this program a launcher; see `peak_kib`.
pub const LAUNCH: &str = "--peak-of";

/// The largest resident memory of a command, in KiB. What was resident before execve(2) counts as
/// the new program's, so a small process of ours starts it: `launch` in a new bench.
pub fn peak_kib(command: &Command) -> Result<u64> {
    let ours = program::ours()?;
    let mut launcher = Command::new(ours);
    launcher.arg(LAUNCH).arg(command.get_program()).args(command.get_args());
    let said = program::output(&mut launcher)?;
    said.trim_end().parse().tried(format_args!("read {said:?} as KiB"))
}

/// Runs a command, its output lost, and returns its largest resident memory in KiB.
pub fn launch(command: &[OsString]) -> Result<i64> {
    let (program, arguments) = command.split_first().ok_or_else(|| Failure::new("no command"))?;
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::null());
    let child = command.spawn().tried(format_args!("run {command:?}"))?;
    let (status, usage) = wait(child.id()).tried(format_args!("wait for {command:?}"))?;
    match status.success() {
        true => Ok(usage.ru_maxrss),
        false => Err(Failure::new(format!("{command:?} ended with {status}"))),
    }
}

/// Works where a folder is the machine, as it is in a guest: on a thread of its own, which alone
/// changes its root (unshare(2), CLONE_FS; chroot(2)).
pub fn inside<T: Send>(folder: &Path, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let move_in = || -> Result<T> {
        // SAFETY: only the root and the working directory of this thread are its own from now on;
        // no descriptor is.
        unsafe { unshare_unsafe(UnshareFlags::FS) }.tried("unshare the root of a thread")?;
        chroot(folder).tried(format_args!("chroot to {}", folder.display()))?;
        chdir("/").tried("enter a chroot")?;
        work()
    };
    let ended = thread::scope(|scope| scope.spawn(move_in).join());
    ended.unwrap_or_else(|_| Err(Failure::new("a thread in a chroot panicked")))
}

/// A call in this thread. Dropping what it returns is not measured.
pub fn call<T>(work: impl FnOnce() -> T) -> Sample {
    let cpu = thread_cpu();
    let started = Instant::now();
    let result = black_box(work());
    let wall = started.elapsed();
    let cpu = thread_cpu().saturating_sub(cpu);
    drop(result);
    Sample { wall, cpu }
}

/// Waits for a child of ours, and what it and its own children used.
fn wait(child: u32) -> std::io::Result<(ExitStatus, libc::rusage)> {
    let mut status = 0;
    // SAFETY: a rusage of zeros is one; wait4(2) writes to these two places and nowhere else.
    let (waited, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let waited = libc::wait4(child as libc::pid_t, &raw mut status, 0, &raw mut usage);
        (waited, usage)
    };
    if waited < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok((ExitStatus::from_raw(status), usage))
}

fn time(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec as u64) + Duration::from_micros(time.tv_usec as u64)
}

fn thread_cpu() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::from_secs(now.tv_sec as u64) + Duration::from_nanos(now.tv_nsec as u64)
}

/// Ours first, then its rivals.
#[derive(Default)]
pub struct Contest<'a>(Vec<(String, Job<'a>)>);

impl<'a> Contest<'a> {
    /// What is measured.
    pub fn of(name: impl Into<String>, job: impl FnMut() -> Result<Sample> + 'a) -> Self {
        Contest(Vec::new()).against(name, job)
    }

    /// A rival that does the same.
    pub fn against(
        mut self,
        name: impl Into<String>,
        job: impl FnMut() -> Result<Sample> + 'a,
    ) -> Self {
        self.0.push((name.into(), Box::new(job)));
        self
    }

    /// Every one by turns, `rounds` times; a round before them warms up and does not count.
    pub fn run(mut self, rounds: usize) -> Result<Vec<Outcome>> {
        let mut turns: Vec<Vec<Sample>> = vec![Vec::new(); self.0.len()];
        for round in 0..=rounds {
            for ((_, job), samples) in self.0.iter_mut().zip(&mut turns) {
                let sample = job()?;
                if round > 0 {
                    samples.push(sample);
                }
            }
        }
        let ours = turns[0].clone();
        let outcomes = self.0.into_iter().zip(turns);
        Ok(outcomes.map(|((name, _), samples)| Outcome::new(name, samples, &ours)).collect())
    }
}

/// What came of one of them.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// Who.
    pub name: String,
    /// The median.
    pub wall: Duration,
    /// The fastest run: what the machine can do while nobody disturbs it.
    pub fastest: Duration,
    /// The median.
    pub cpu: Duration,
    /// How many times as long as ours, by wall clock.
    pub ratio: f64,
}

impl Outcome {
    fn new(name: String, samples: Vec<Sample>, ours: &[Sample]) -> Outcome {
        let pairs = samples.iter().zip(ours);
        let ratios = pairs.map(|(one, ours)| one.wall.as_secs_f64() / ours.wall.as_secs_f64());
        Outcome {
            name,
            wall: median(samples.iter().map(|sample| sample.wall)).unwrap_or_default(),
            fastest: samples.iter().map(|sample| sample.wall).min().unwrap_or_default(),
            cpu: median(samples.iter().map(|sample| sample.cpu)).unwrap_or_default(),
            ratio: median(ratios).unwrap_or(f64::NAN),
        }
    }
}

/// The middle one; of an even number the upper.
fn median<T: PartialOrd + Copy>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rivals_take_turns_and_their_ratios_are_of_the_same_turn() {
        let log = std::cell::RefCell::new(String::new());
        let run = |name: char, mut walls: Vec<u64>| {
            let log = &log;
            move || {
                log.borrow_mut().push(name);
                let wall = Duration::from_millis(walls.remove(0));
                Ok(Sample { wall, cpu: wall / 2 })
            }
        };
        // The first turn warms up; in the third both were disturbed.
        let outcomes = Contest::of("a", run('a', vec![99, 10, 1000, 11]))
            .against("b", run('b', vec![99, 30, 3000, 22]))
            .run(3)
            .unwrap();
        assert_eq!(*log.borrow(), "abababab");
        let ms = |outcome: &Outcome| [outcome.wall, outcome.fastest, outcome.cpu];
        assert_eq!(ms(&outcomes[0]), [11_000, 10_000, 5_500].map(Duration::from_micros));
        assert_eq!(ms(&outcomes[1]), [30_000, 22_000, 15_000].map(Duration::from_micros));
        assert_eq!(outcomes.iter().map(|one| one.ratio).collect::<Vec<_>>(), [1.0, 3.0]);
    }

    #[test]
    fn a_process_that_fails_is_a_failure() {
        let sample = process(Command::new("true")).unwrap();
        assert!(sample.wall > Duration::ZERO);
        assert!(process(Command::new("false")).is_err());
    }
}
