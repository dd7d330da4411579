//! The machine that was measured on, and how busy it was.

use std::fs;

use harness::checkout;
use harness::failure::{Result, Tried};
use harness::program;

/// A table: date, commit, processor, kernel, compiler, load.
pub fn table() -> Result<String> {
    let load = read("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let cores = cores();
    let rows = [
        ("date", program::run("date", &["-u", "+%Y-%m-%d %H:%M UTC"])?.trim_end().to_owned()),
        (
            "commit",
            checkout::commit("BENCHMARKS.md")
                .unwrap_or_else(|_| "unknown: not a checkout".to_owned()),
        ),
        ("processor", format!("{}, {cores} cores", processor()?)),
        ("kernel", read("/proc/sys/kernel/osrelease")?),
        ("compiler", program::run("rustc", &["-V"])?.trim_end().to_owned()),
        ("load before", format!("{load}{}", busy(load, cores))),
    ];
    let lines = rows.map(|(name, value)| format!("| {name} | {value} |\n"));
    Ok(format!("| | |\n|---|---|\n{}", lines.concat()))
}

/// What a reader should make of a load.
fn busy(load: &str, cores: usize) -> &'static str {
    let is_idle = load.parse().is_ok_and(|load: f64| load < 0.5 * cores as f64);
    if is_idle { "" } else { ": busy, so trust ratios, CPU and fastest more than wall" }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn processor() -> Result<String> {
    let cpuinfo = read("/proc/cpuinfo")?;
    let named = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let mut models = named.filter(|(key, _)| key.trim() == "model name");
    Ok(models.next().map_or("unknown", |(_, model)| model.trim()).to_owned())
}

fn read(path: &str) -> Result<String> {
    Ok(fs::read_to_string(path).tried(format_args!("read {path}"))?.trim_end().to_owned())
}
