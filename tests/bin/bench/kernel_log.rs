//! A long kernel log: records to facts, against reading alone and against grep.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use harness::failure::{Failure, Result, Tried};
use harness::program;
use xvdguard_linux::observe::kernel_log::KernelLogReader;
use xvdguard_logic::kernel_log::KernelLog;
use xvdguard_logic::kernel_log::record::Record;

use crate::bench::Bench;
use crate::kernel_log_text::{PATTERN, of_bytes};
use crate::measure::{self, Contest, Outcome, Sample};
use crate::report::{Chapter, Table, ratio, time};

const BYTES: usize = 50_000_000;
const ROUNDS: usize = 11;

/// 50 MB of records.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let path = bench.within("kmsg");
    fs::write(&path, of_bytes(BYTES)).tried(format_args!("write {}", path.display()))?;
    let content = fs::read(&path).tried(format_args!("read {}", path.display()))?;
    check(bench, &content, &path)?;
    let outcomes = Contest::of("records to facts", || Ok(measure::call(|| facts(&content))))
        .against("`--kernel-log`: read the file, then the same", || read_log(&path))
        .against("std::fs::read of the file alone", || Ok(measure::call(|| fs::read(&path))))
        .against("grep -E with the patterns of blkfront", || grep(bench, &path))
        .run(ROUNDS)?;
    let text = "50 MB of `/dev/kmsg` records, one in 500 of them blkfront's, in memory. grep finds \
                the same lines.";
    let mut chapter = Chapter::new("Kernel log", text);
    chapter.add(table(&outcomes, content.len()));
    Ok(chapter)
}

fn table(outcomes: &[Outcome], bytes: usize) -> Table {
    let mut table = Table::new(&["what", "wall", "CPU", "MB/s", "ratio"]);
    for (index, outcome) in outcomes.iter().enumerate() {
        let rate = format!("{:.0}", bytes as f64 / 1e6 / outcome.wall.as_secs_f64());
        let ratio = if index == 0 { "1".into() } else { ratio(outcome.ratio) };
        let name = outcome.name.clone();
        table.row(&[name, time(outcome.wall), time(outcome.cpu), rate, ratio], None);
    }
    table
}

fn facts(content: &[u8]) -> KernelLog {
    let mut log = KernelLog::default();
    let records = content.split(|byte| *byte == b'\n').filter_map(Record::parse);
    records.for_each(|record| log.take(&record));
    log
}

fn read_log(path: &Path) -> Result<Sample> {
    Ok(measure::call(|| {
        let mut reader = KernelLogReader::open_named(path.as_os_str().as_bytes())?;
        reader.drain().map(|()| reader)
    }))
}

fn grep(bench: &Bench, path: &Path) -> Result<Sample> {
    let program = program::find("grep").ok_or_else(|| Failure::new("needs the program grep"))?;
    let mut command = bench.command(&program)?;
    command.args(["-c", "-E", PATTERN]).arg(path).env("LC_ALL", "C");
    measure::process(command)
}

/// Both must find the same, or one of them did other work.
fn check(bench: &Bench, content: &[u8], path: &Path) -> Result<()> {
    grep(bench, path)?;
    let counted = fs::read_to_string(bench.output()).unwrap_or_default();
    let facts = facts(content).facts.len();
    if counted.trim_end() == facts.to_string() {
        return Ok(());
    }
    Err(Failure::new(format!("{facts} facts were understood, grep found {}", counted.trim_end())))
}
