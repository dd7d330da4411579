//! `xvdguard explain` of 50 MB, against grep and RegexSet with the same patterns, and reading.

use std::fs;
use std::path::{Path, PathBuf};

use harness::failure::{Failure, Result, Tried};
use harness::messages::Messages;
use harness::program;
use xvdguard_logic::block::BlockTree;
use xvdguard_logic::explain::Explainer;
use xvdguard_logic::explain::story::Story;
use xvdguard_logic::kernel_log::matcher;

use crate::bench::Bench;
use crate::explain_logs::{DMESG, FORMS, log};
use crate::measure::{self, Contest, Outcome, Sample};
use crate::report::{Chapter, Promise, Table, ratio, time};

const BYTES: usize = 50_000_000;
/// grep takes minutes for 50 MB with many hits.
const FEWER_BYTES: usize = 5_000_000;
const ROUNDS: usize = 11;
/// As many bytes as `explain` reads at once.
const PIECE: usize = 256 * 1024;
/// "[   12.345678] "
const STAMP: usize = 15;
const FINDINGS: i32 = 10;

/// Logs with few and with many hits, then every form.
pub fn chapter(bench: &Bench) -> Result<Chapter> {
    let messages = Messages::read()?;
    let rows = messages.rows.len();
    let mut chapter = Chapter::new(
        "Explain",
        &format!(
            "50 MB of log in memory, one thread: dmesg, 2 % of whose lines are one of the {rows} \
             messages. *Matchers* are those of all messages on each line behind its time stamp, \
             without a story; so is RegexSet, of the regex crate. It and grep have the same \
             patterns and find the same lines, and know of each only which pattern, or that there \
             is one. The limit is on the fastest turn.",
        ),
    );
    chapter.add(contest(bench, &messages, (2, BYTES))?);
    chapter.say("5 MB with 50 % hits.");
    chapter.add(contest(bench, &messages, (50, FEWER_BYTES))?);
    chapter.say("`xvdguard explain`, the process, with 2 % hits in every form.");
    chapter.add(forms(bench, &messages)?);
    Ok(chapter)
}

fn contest(bench: &Bench, messages: &Messages, (percent, bytes): (u64, usize)) -> Result<Table> {
    let content = log(messages, DMESG, percent, bytes).into_bytes();
    let path = save(bench, "dmesg", &content)?;
    let patterns = save(bench, "patterns", extended(messages).join("\n").as_bytes())?;
    let lines = texts(&content);
    grep(bench, &path, &patterns)?;
    check(bench, matched(&lines), described(messages, &lines))?;
    let outcomes = Contest::of("the story of it, a call in the library", || {
        Ok(measure::call(|| story(&content)))
    })
    .against("`xvdguard explain`, the process", || explain(bench, &path))
    .against("matchers", || Ok(measure::call(|| matched(&lines))))
    .against("RegexSet", || Ok(measure::call(|| described(messages, &lines))))
    .against("`grep -E -c -f`, in C", || grep(bench, &path, &patterns))
    .against("std::fs::read of the file alone", || Ok(measure::call(|| fs::read(&path))))
    .run(ROUNDS)?;
    let story = rate(&outcomes[0], bytes);
    let promised = if percent == 2 { Promise::at_least(story, 1000) } else { None };
    Ok(table(&outcomes, bytes, promised))
}

fn forms(bench: &Bench, messages: &Messages) -> Result<Table> {
    let mut jobs = Contest::default();
    for form in [DMESG].iter().chain(&FORMS) {
        let content = log(messages, *form, 2, BYTES);
        let path = save(bench, &form.name.replace('/', "-"), content.as_bytes())?;
        jobs = jobs.against(form.name, move || explain(bench, &path));
    }
    Ok(table(&jobs.run(ROUNDS)?, BYTES, None))
}

fn table(outcomes: &[Outcome], bytes: usize, mut promise: Option<Promise>) -> Table {
    let mut table = Table::new(&["what", "wall", "fastest", "CPU", "MB/s, fastest", "ratio"]);
    for (index, outcome) in outcomes.iter().enumerate() {
        let times = [outcome.wall, outcome.fastest, outcome.cpu].map(time);
        let ratio = if index == 0 { "1".into() } else { ratio(outcome.ratio) };
        let rate = rate(outcome, bytes).to_string();
        let cells = [vec![outcome.name.clone()], times.to_vec(), vec![rate, ratio]].concat();
        table.row(&cells, promise.take());
    }
    table
}

/// MB/s.
fn rate(outcome: &Outcome, bytes: usize) -> u64 {
    (bytes as f64 / 1e6 / outcome.fastest.as_secs_f64()) as u64
}

fn save(bench: &Bench, name: &str, content: &[u8]) -> Result<PathBuf> {
    let path = bench.within(name);
    fs::write(&path, content).tried(format_args!("write {}", path.display()))?;
    Ok(path)
}

fn story(content: &[u8]) -> Story {
    let mut explainer = Explainer::new(BlockTree::default(), None);
    content.chunks(PIECE).for_each(|piece| explainer.take(piece));
    explainer.finish()
}

fn explain(bench: &Bench, path: &Path) -> Result<Sample> {
    let mut command = bench.command(&bench.program("xvdguard"))?;
    command.arg("explain").arg(path);
    measure::process_ending(command, FINDINGS)
}

/// The lines without their time stamps.
fn texts(content: &[u8]) -> Vec<&[u8]> {
    content.split(|byte| *byte == b'\n').filter_map(|line| line.get(STAMP..)).collect()
}

fn matched(lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| matcher::find(line).is_some()).count()
}

fn described(messages: &Messages, lines: &[&[u8]]) -> usize {
    lines.iter().filter(|line| messages.describes(line)).count()
}

fn grep(bench: &Bench, path: &Path, patterns: &Path) -> Result<Sample> {
    let program = program::find("grep").ok_or_else(|| Failure::new("needs the program grep"))?;
    let mut command = bench.command(&program)?;
    command.args(["-E", "-c", "-f"]).arg(patterns).arg(path).env("LC_ALL", "C");
    measure::process(command)
}

/// The patterns as POSIX writes them, behind a time stamp, with names of any length: grep, which
/// unrolls every repetition that has an end, is twice as fast with them.
fn extended(messages: &Messages) -> Vec<String> {
    messages.rows.iter().map(|row| format!(r"^\[[ 0-9.]+\] {}", posix(&row.pattern))).collect()
}

fn posix(pattern: &str) -> String {
    let mut rest = pattern.strip_prefix('^').unwrap_or(pattern);
    let mut posix = String::new();
    while let Some(at) = rest.find("(?") {
        let (before, group) = rest.split_at(at);
        let inside = group.find([':', '>']).map_or(group.len(), |end| end + 1);
        posix += before;
        posix.push('(');
        rest = &group[inside..];
    }
    posix += rest;
    let posix = posix.replace(r"[^\]]", "[^]]").replace(r"\d", "[0-9]");
    endless(&posix.replace(r"\S", "[^[:space:]]"))
}

/// With `+` in the place of `{1,31}` and `{1,31}?`.
fn endless(pattern: &str) -> String {
    let mut parts = pattern.split("{1,");
    let mut endless = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let behind = part.split_once('}').map_or(part, |(_, behind)| behind);
        endless = endless + "+" + behind.strip_prefix('?').unwrap_or(behind);
    }
    endless
}

/// All must find the same lines, or one of them does other work; grep has just counted.
fn check(bench: &Bench, ours: usize, set: usize) -> Result<()> {
    let grep = fs::read_to_string(bench.output()).unwrap_or_default();
    let grep = grep.trim_end();
    if grep == ours.to_string() && set == ours {
        return Ok(());
    }
    Err(Failure::new(format!("matchers found {ours} lines, RegexSet {set}, grep {grep}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_lose_what_posix_does_not_know() {
        let pattern = r"^a(?P<x>\d{1,31}?)(?:-\S+)? \[(?P<y>[^\]]+)\]\.$";
        assert_eq!(posix(pattern), r"a([0-9]+)(-[^[:space:]]+)? \[([^]]+)\]\.$");
    }
}
