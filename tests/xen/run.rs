//! A run: builds what is missing, says where the results go and of what they are, and lets the crew
//! play.

use std::path::Path;

use harness::checkout::{self, CHANGED};
use harness::failure::{Failure, Result};
use harness::program;

use crate::build::debian;
use crate::build::dom0::{self, Host};
use crate::build::emulator::{self, Emulator};
use crate::build::{self, Cache, GuestKernel};
use crate::crew::{self, Task, What};
use crate::play::Stock;
use crate::results::Results;
use crate::say;
use crate::scenarios::{self, ALL};
use crate::wanted::{Table, Wanted};

/// What each scenario came to, from the top of the repository.
const RESULTS: [(Table, &str); 3] = [
    (Table::Early, "tests/xen/RESULTS.md"),
    (Table::Recovery, "tests/xen/RECOVERY.md"),
    (Table::Package, "tests/xen/PACKAGE.md"),
];

/// Plays what the variables SCENARIO and KERNEL name, or all. Returns how many did not pass.
pub fn run() -> Result<usize> {
    let wanted = Wanted::asked()?;
    let cache = Cache::open()?;
    build::prepare()?;
    let emulator = emulator::emulator(&cache)?;
    let host = dom0::host(&cache)?;
    let kernels = build::guest_kernels(&cache, wanted.kernel.as_deref())?;
    if kernels.is_empty() {
        return Err(Failure::new("no such kernel. Known are 5.10, 6.1, 6.1-pvh, 6.12 and newest"));
    }
    let has_pvh = kernels.iter().any(|kernel| kernel.is_pvh);
    let pvh_emulator = if has_pvh { Some(emulator::for_pvh(&cache)?) } else { None };
    let logs = cache.place("logs")?;
    // Of files without a history nothing is known.
    let table = RESULTS.into_iter().find(|(table, _)| wanted.table == Some(*table));
    let (_, file) = table.unwrap_or(RESULTS[0]);
    let commit = checkout::commit(file).unwrap_or_else(|_| format!("unknown{CHANGED}"));
    let emulators: Vec<&Emulator> = [&emulator].into_iter().chain(&pvh_emulator).collect();
    let heading = heading(&commit, &emulators, &host, &kernels)?;
    let path = match table.is_some() && !commit.ends_with(CHANGED) {
        true => Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name(file),
        false => logs.join(Path::new(file).file_name().unwrap_or_default()),
    };
    say(&format!("what comes of it is written to {}", path.display()));
    let results = Results::open(path, heading, wanted.table);
    let mut tasks = Vec::new();
    for kernel in &kernels {
        if wanted.scenarios.iter().any(|index| (ALL[*index].is_for)(kernel)) {
            tasks.push(Task { kernel, what: What::Matrix(&wanted.scenarios) });
        }
        for story in wanted.stories.iter().filter(|story| (story.is_for)(kernel)) {
            let kind = scenarios::kind(story);
            let debian = story.is_debian.then(|| debian::debian(&cache, kind)).transpose()?;
            tasks.push(Task { kernel, what: What::Story(story, debian) });
        }
    }
    let stock = Stock { emulator, pvh_emulator, host, kernels: kernels.clone(), logs };
    crew::play(&stock, &tasks, results)
}

/// Date, commit and versions of this run.
fn heading(
    commit: &str,
    emulators: &[&Emulator],
    host: &Host,
    kernels: &[GuestKernel],
) -> Result<String> {
    let date = program::run("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?;
    let qemu: Vec<&str> = emulators.iter().map(|emulator| emulator.version.as_str()).collect();
    let guests: Vec<&str> = kernels.iter().map(|kernel| kernel.release.as_str()).collect();
    Ok(format!(
        "{}, commit {commit}\n\nQEMU {}, {}, guests {}",
        date.trim_end(),
        qemu.join(" and for PVH "),
        host.versions,
        guests.join(", ")
    ))
}
