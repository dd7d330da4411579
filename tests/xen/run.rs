//! Plays what was asked for: groups scenarios into guests, kernel by kernel, and keeps the results.
//!
//! A guest or a bed that dies for a reason of its own is played once more in a new bed; what then
//! dies again has failed. Never takes bad weather for a pass.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use harness::failure::{Failure, Result, Tried};
use harness::scratch::Scratch;
use harness::{program, programs};

use crate::bed::Bed;
use crate::build::cpio::Cpio;
use crate::build::dom0::{self, Host};
use crate::build::emulator::{self, Emulator};
use crate::build::{self, Cache, GuestKernel};
use crate::domain::Seen;
use crate::guest::EARLY;
use crate::judge::{Outcome, judge};
use crate::order::{Guard, Order, Placed};
use crate::results::{Results, Row};
use crate::say;
use crate::scenario::Scenario;
use crate::scenarios::ALL;

/// Disks of one guest: as many as `xvdguard-early` asks at once from Linux 6.11, where the kernel's
/// line, whose rate is limited, may be the only trace of a flush that failed.
const DISKS_IN_A_GUEST: usize = 8;

/// Said of files that no commit holds.
const CHANGED: &str = " and changes not committed";

/// All that a run has.
struct Run {
    emulator: Emulator,
    host: Host,
    scratch: Scratch,
    logs: PathBuf,
    bed: Option<Bed>,
}

/// Plays the scenario with this name, or all, on the kernel with this name, or all. Returns how
/// many did not pass.
pub fn run(scenario: Option<&str>, kernel: Option<&str>) -> Result<usize> {
    let wanted: Vec<usize> = (0..ALL.len())
        .filter(|index| scenario.is_none_or(|name| ALL[*index].name == name))
        .collect();
    if wanted.is_empty() {
        let names = ALL.map(|scenario| scenario.name).join(", ");
        return Err(Failure::new(format!("no such scenario. There are: {names}")));
    }
    let cache = Cache::open()?;
    build::prepare()?;
    let emulator = emulator::emulator(&cache)?;
    let host = dom0::host(&cache)?;
    let kernels = build::guest_kernels(&cache, kernel)?;
    if kernels.is_empty() {
        return Err(Failure::new("no such kernel. Known are 5.10, 6.1, 6.12 and newest"));
    }
    let (scratch, logs) = (Scratch::new("xen")?, cache.place("logs")?);
    let commit = commit()?;
    let heading = heading(&commit, &emulator, &host, &kernels)?;
    let place = match commit.ends_with(CHANGED) {
        true => logs.clone(),
        false => Path::new(env!("CARGO_MANIFEST_DIR")).join("xen"),
    };
    let mut run = Run { emulator, host, scratch, logs, bed: None };
    run.pack(&kernels)?;
    let path = place.join("RESULTS.md");
    say(&format!("what comes of it is written to {}", path.display()));
    let mut results = Results::open(path, heading);
    let mut failed = 0;
    for kernel in &kernels {
        for group in groups(&wanted) {
            for row in run.play(kernel, &group) {
                say(&format!("{} on {}: {}", row.scenario, row.kernel, row.result));
                failed += usize::from(row.result != "pass");
                results.add(row)?;
            }
        }
    }
    Ok(failed)
}

/// Scenarios that can share a guest: configured alike, and not too many disks.
fn groups(wanted: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for index in wanted {
        let fits = |group: &&mut Vec<usize>| {
            let (first, next) = (&ALL[group[0]], &ALL[*index]);
            let disks: usize = group.iter().map(|one| ALL[*one].roles.len()).sum();
            let is_alike = (first.words, first.policy) == (next.words, next.policy);
            is_alike && disks + next.roles.len() <= DISKS_IN_A_GUEST
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(*index),
            None => groups.push(vec![*index]),
        }
    }
    groups
}

fn disks(scenario: usize) -> Vec<Placed> {
    let Scenario { host, roles, .. } = ALL[scenario];
    roles.iter().map(|role| Placed { scenario, role, host }).collect()
}

impl Run {
    /// What dom0 finds in /bed: a fresh file system, and kernel and root of each guest.
    fn pack(&self, kernels: &[GuestKernel]) -> Result<()> {
        let folder = self.scratch.path().join("bed");
        let disk = folder.join("disk.ext3");
        fs::create_dir_all(&folder).tried(format_args!("make {}", folder.display()))?;
        let mkfs = ["-q", "-F", "-b", "1024", "-E", "lazy_itable_init=0"];
        let size = [disk.display().to_string(), "8M".to_owned()];
        program::run("mkfs.ext3", &[mkfs.map(str::to_owned).as_slice(), &size].concat())?;
        for kernel in kernels {
            let folder = folder.join(&kernel.name);
            fs::create_dir(&folder).tried(format_args!("make {}", folder.display()))?;
            let image = kernel.folder.join("vmlinux");
            std::os::unix::fs::symlink(&image, folder.join("vmlinux")).tried("link the image")?;
            fs::write(folder.join("initrd"), guest_root(kernel)?).tried("write a guest's root")?;
        }
        let (payload, folder) = (self.payload(), folder.as_os_str());
        let words =
            [["-c", "-h", "-f"].map(OsStr::new).as_slice(), &[payload.as_os_str()]].concat();
        let from = ["-C".as_ref(), folder, ".".as_ref()];
        program::run("tar", &[words.as_slice(), &from].concat()).map(drop)
    }

    fn payload(&self) -> PathBuf {
        self.scratch.path().join("payload.tar")
    }

    /// Plays scenarios in a guest without xvdguard and in one with it.
    fn play(&mut self, kernel: &GuestKernel, group: &[usize]) -> Vec<Row> {
        let begin = Instant::now();
        let disks: Vec<Placed> = group.iter().flat_map(|index| disks(*index)).collect();
        let Scenario { words, policy, .. } = ALL[group[0]];
        let without = Order { kernel, guard: None, disks: disks.clone() };
        let with = Order { kernel, guard: Some(Guard { words, policy }), disks };
        let seen = [&without, &with].map(|order| self.guest(order));
        let seconds = begin.elapsed().as_secs();
        let outcome = |index: usize, order: &Order, seen: &Result<Seen>| match seen {
            Ok(seen) => judge(&ALL[index], index, order, seen),
            Err(failure) => {
                let wrong = vec![format!("bad weather: {failure}")];
                Outcome { shown: "not seen".to_owned(), wrong }
            }
        };
        let rows = group.iter().map(|index| {
            let outcomes = [outcome(*index, &without, &seen[0]), outcome(*index, &with, &seen[1])];
            row(&ALL[*index], kernel, outcomes, seconds)
        });
        rows.collect()
    }

    /// Plays a guest, once more where the first bed did not hold.
    fn guest(&mut self, order: &Order) -> Result<Seen> {
        self.once(order).or_else(|failure| {
            say(&format!("bad weather, once more in a new bed: {failure}"));
            self.once(order)
        })
    }

    fn once(&mut self, order: &Order) -> Result<Seen> {
        let guard = if order.guard.is_some() { "with" } else { "without" };
        let begin = Instant::now();
        let mut bed = match self.bed.take() {
            Some(bed) => bed,
            None => self.boot()?,
        };
        let seen = order.play(&mut bed)?;
        self.bed = Some(bed);
        self.keep(order, guard, &seen)?;
        let (release, disks) = (&order.kernel.release, order.disks.len());
        let seconds = begin.elapsed().as_secs();
        say(&format!("{release} {guard} xvdguard, {disks} disks: seen in {seconds} s"));
        Ok(seen)
    }

    fn boot(&self) -> Result<Bed> {
        say("booting Xen and dom0");
        Bed::start(&self.emulator, &self.host, &self.payload(), &self.logs)
    }

    /// Keeps all that was seen, for whoever wonders about a row.
    fn keep(&self, order: &Order, guard: &str, seen: &Seen) -> Result<()> {
        let first = ALL[order.disks[0].scenario].name;
        let path = self.logs.join(format!("{}-{guard}-{first}.txt", order.kernel.name));
        let text = format!("{:#?}\n{:#}\n{}", seen.disks, seen.guest, seen.backends);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))
    }
}

fn row(scenario: &Scenario, kernel: &GuestKernel, outcomes: [Outcome; 2], seconds: u64) -> Row {
    let [without, with] = outcomes;
    let expected = [scenario.without, scenario.with].map(|fate| fate.on(kernel).to_string());
    let of = |guard: &str, wrong: Vec<String>| {
        wrong.into_iter().map(|what| format!("{guard}, {what}")).collect::<Vec<_>>()
    };
    let wrong = [of("without", without.wrong), of("with", with.wrong)].concat();
    let result =
        if wrong.is_empty() { "pass".into() } else { format!("FAIL {}", wrong.join("; ")) };
    Row {
        scenario: scenario.name.to_owned(),
        kernel: kernel.name.clone(),
        without: without.shown,
        with: with.shown,
        expected: format!("{} → {}; {}", expected[0], expected[1], scenario.verdict),
        result,
        seconds,
    }
}

/// The guest's root: this program as its init, the hook's program, and modules.
fn guest_root(kernel: &GuestKernel) -> Result<Vec<u8>> {
    let mut root = Cpio::default();
    root.folder("modules");
    root.tree(&kernel.folder.join("modules"), "modules/", &|_| true)?;
    root.copy("init", 0o755, &program::ours()?)?;
    root.copy(EARLY.trim_start_matches('/'), 0o755, &programs::path("xvdguard-early")?)?;
    Ok(root.finish())
}

/// Date, commit and versions of this run.
fn heading(
    commit: &str,
    emulator: &Emulator,
    host: &Host,
    kernels: &[GuestKernel],
) -> Result<String> {
    let date = program::run("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?;
    let guests: Vec<&str> = kernels.iter().map(|kernel| kernel.release.as_str()).collect();
    Ok(format!(
        "{}, commit {commit}\n\nQEMU {}, {}, guests {}",
        date.trim_end(),
        emulator.version,
        host.versions,
        guests.join(", ")
    ))
}

/// The commit, and whether the files differ from it.
fn commit() -> Result<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("");
        git.args(["-c", "safe.directory=*"]).args(arguments).current_dir(repository);
        program::output(&mut git)
    };
    let commit = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--", ".", ":!tests/xen/RESULTS.md"])?;
    let changed = if changed.is_empty() { "" } else { CHANGED };
    Ok(format!("{}{changed}", commit.trim_end()))
}
