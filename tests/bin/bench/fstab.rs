//! A long fstab: read, edited, printed, and how that grows.

use std::fmt::Write;
use std::fs;

use harness::failure::{Failure, Result, Tried};
use harness::program;
use xvdguard_logic::fstab::{Edit, Fstab};

use crate::bench::Bench;
use crate::measure::{self, Contest, Sample};
use crate::report::{Chapter, Promise, Table};

const LINES: [usize; 4] = [10_000, 1_000, 100, 10];
const ROUNDS: usize = 51;

/// Every third line is ext4 and gets `barrier=0`.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let contents = LINES.map(content);
    let path = bench.within("fstab");
    fs::write(&path, &contents[0]).tried(format_args!("write {}", path.display()))?;
    check(&contents[0])?;
    let [most, fewer @ ..] = &contents;
    let mut contest = Contest::of(shown(LINES[0]), || Ok(measure::call(|| edited(most))));
    for (lines, content) in LINES[1..].iter().zip(fewer) {
        contest = contest.against(shown(*lines), || Ok(measure::call(|| edited(content))));
    }
    if let Some(findmnt) = program::find("findmnt") {
        contest = contest.against("`findmnt` of the 10000", move || -> Result<Sample> {
            let mut command = bench.command(&findmnt)?;
            command.arg("--tab-file").arg(&path);
            measure::process(command)
        });
    }
    let outcomes = contest.run(ROUNDS)?;
    let promise = Promise::at_most_ms(outcomes[0].wall, 20);
    let text = "Read, `barrier=0` on every third line with a comment above it, printed; in memory.";
    let mut chapter = Chapter::new("fstab", text);
    chapter.add(Table::of(&outcomes, &[promise]));
    Ok(chapter)
}

fn shown(lines: usize) -> String {
    format!("read, edit and print {lines} lines")
}

fn content(lines: usize) -> Vec<u8> {
    let mut content = String::new();
    for line in 0..lines {
        let fstype = ["ext4", "xfs", "btrfs"][line % 3];
        let _ = writeln!(content, "UUID={line:032x} /srv/{line} {fstype} noatime,nofail 0 2");
    }
    content.into_bytes()
}

fn edited(content: &[u8]) -> Option<Vec<u8>> {
    let fstab = Fstab::parse(content);
    let entries = fstab.entries().filter(|entry| entry.fstype == "ext4");
    let edits: Vec<_> = entries.map(|entry| (entry.line, Edit::BarrierOff)).collect();
    let edited = fstab.edit(&edits).ok()?;
    Some(edited.fstab.to_bytes().to_vec())
}

/// What is measured has to be what is meant.
fn check(content: &[u8]) -> Result<()> {
    let edited = edited(content).unwrap_or_default();
    let marks =
        String::from_utf8_lossy(&edited).matches("# xvdguard: was noatime,nofail\n").count();
    match marks == LINES[0].div_ceil(3) {
        true => Ok(()),
        false => Err(Failure::new(format!("{marks} lines were edited"))),
    }
}
