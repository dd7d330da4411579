//! Whole logs in every form, mixed, quoted and broken, and the stories told of them.

use std::sync::Arc;

use harness::failure::Result;
use harness::messages::{Messages, forge};
use harness::random::Random;
use xvdguard_logic::block::BlockTree;
use xvdguard_logic::explain::Explainer;
use xvdguard_logic::explain::story::{Story, Verdict};
use xvdguard_logic::wording::explain::{Detail, tell};

use super::{Parser, must};
use crate::mutate::mutated;

/// Lines of a log; more only repeat what these do.
const LINES: u64 = 24;

/// Messages that belong to a story but to no row.
const OTHERS: [&[u8]; 5] = [
    b"Linux version 6.1.0-9-amd64 (gcc 12.2.0) #1 SMP Debian 6.1.27-1",
    b"device-mapper: ioctl: 4.47.0-ioctl initialised",
    b"iscsid: Kernel reported iSCSI connection 1:0 error (1011) state (3)",
    b"multipathd: mpatha: remaining active paths: 0",
    b" xvda: xvda1 xvda2",
];

const WORDS: [&[u8]; 12] = [
    b"> ",
    b"&gt;",
    b"&#39;",
    b"kernel: ",
    b"{\"MESSAGE\":",
    b"\"_TRANSPORT\":\"kernel\"",
    b"\\u001b[0m",
    b"\x1b[31m",
    b"-- Boot 0123 --",
    b"__REALTIME_TIMESTAMP=1795166400123456\n",
    b"MESSAGE\n\x05\0\0\0\0\0\0\0abcde\n",
    b"Linux version 5.10.0",
];

/// Logs, however they are cut into pieces.
pub fn explain(messages: Arc<Messages>) -> Parser {
    let make = move |random: &mut Random| {
        let (one, other) = (log(&messages, random)?, log(&messages, random)?);
        Ok(mutated(&[&one, &other], &WORDS, random))
    };
    Parser::new("explain", make, |log| {
        let story = in_pieces(log, log.len().max(1));
        let size = 1 + log.len() * 31 % 97;
        must(in_pieces(log, size) == story, &format!("it is the same in pieces of {size}"))?;
        must(story.extent.lines <= log.len() as u64, "a line has a byte")?;
        for subject in &story.subjects {
            must(subject.verdict <= story.verdict, "no subject is worse than its story")?;
            must(subject.now <= subject.verdict, "nobody is worse now than he was")?;
        }
        let is_healthy = story.verdict == Verdict::Healthy;
        must(story.first_cause.is_none() == is_healthy, "what is not healthy has a cause")?;
        must(is_printable(&story), "what is told has no control character")?;
        Ok(!is_healthy)
    })
}

fn in_pieces(log: &[u8], size: usize) -> Story {
    let mut explainer = Explainer::new(BlockTree::default(), None);
    log.chunks(size).for_each(|piece| explainer.take(piece));
    explainer.finish()
}

fn is_printable(story: &Story) -> bool {
    let lines = tell(story, Detail::All);
    let mut texts = lines.iter().map(|line| &line.text);
    texts.all(|text| !text.chars().any(|one| one.is_control() && one != '\n'))
}

fn log(messages: &Messages, random: &mut Random) -> Result<Vec<u8>> {
    let mut log = Vec::new();
    let (form, is_mixed) = (random.below(FORMS), random.percent(20));
    for number in 0..1 + random.below(LINES) {
        let row = random.below(messages.rows.len() as u64) as usize;
        let line = match random.below(4) {
            0 => random.choose(&OTHERS).map(|line| line.to_vec()).unwrap_or_default(),
            1 => forge(messages, row, random)?,
            _ => messages.rows[row].example.clone().into_bytes(),
        };
        let form = if is_mixed { random.below(FORMS) } else { form };
        log.extend(dressed(&String::from_utf8_lossy(&line), form, number).into_bytes());
    }
    Ok(log)
}

const FORMS: u64 = 14;

/// A line as this form prints it.
fn dressed(line: &str, form: u64, number: u64) -> String {
    let (second, host) = (number % 60, "guest");
    let json = serde_json::Value::from(line);
    match form {
        0 => format!("[ {number:4}.003370] {line}\n"),
        1 => format!("4,{number},{number}000,-;{line}\n SUBSYSTEM=xen\n"),
        2 => format!("[Fri Nov 20 10:00:{second:02} 2026] {line}\n"),
        3 => format!("kern  :err   : [ {number:4}.003370] {line}\n"),
        4 => format!("Nov 20 10:00:{second:02} {host} kernel: [{number}.5] {line}\n"),
        5 => format!("<3>1 2026-11-20T10:00:{second:02}.1Z {host} kernel - - - {line}\n"),
        6 => format!("2026-11-20T10:00:{second:02}+0100 {host} kernel: {line}\n"),
        7 => format!("{{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":{json},\"PRIORITY\":\"3\"}}\n"),
        8 => {
            format!("{{\"dmesg\": [\n {{\"pri\": 3, \"time\": {number}.1, \"msg\": {json}}}\n]}}\n")
        }
        9 => format!("__CURSOR=s\n_TRANSPORT=kernel\nMESSAGE={line}\n_BOOT_ID=ab\n\n"),
        10 => format!("\x1b[0m[{number}.1] {line}\r\r\n"),
        11 => format!("&gt; [{number}.1] {}\n", line.replace('"', "&quot;")),
        12 => format!("Nov 20 10:00:{second:02} {host} logger[7]: {line}\n"),
        _ => format!("    {line}\n"),
    }
}
