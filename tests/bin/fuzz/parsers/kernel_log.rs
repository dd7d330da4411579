//! What the kernel says: single lines, and records of `/dev/kmsg`.

use std::collections::BTreeMap;
use std::sync::Arc;

use harness::messages::{Messages, forge};
use harness::random::Random;
use xvdguard_logic::kernel_log::record::Record;
use xvdguard_logic::kernel_log::{KernelLog, matcher};

use super::{Parser, must};
use crate::mutate::mutated;

/// The matchers, held against the patterns of their table.
pub fn matcher(messages: Arc<Messages>) -> Parser {
    let known = messages.clone();
    let make = move |random: &mut Random| {
        let row = random.below(known.rows.len() as u64) as usize;
        forge(&known, row, random)
    };
    Parser::new("matcher", make, move |line| {
        let ours = matcher::find(line).map(|found| {
            let captures = found.captures();
            let captures = captures.map(|(name, text)| (name.name().to_owned(), text.to_vec()));
            (found.id.name().to_owned(), captures.collect::<BTreeMap<_, _>>())
        });
        let theirs = messages.read_line(line).map_err(|failure| failure.to_string())?;
        must(ours == theirs, &format!("ours: {ours:?}, the patterns: {theirs:?}"))?;
        Ok(ours.is_some())
    })
}

const RECORDS: [&[u8]; 4] = [
    b"4,812,58603896,-,caller=T1;blkfront: xvda: flush op failed\n SUBSYSTEM=xen\n",
    b"6,339,5140900,-;blkfront: xvda: flush diskcache: enabled; persistent grants: enabled;\n",
    b"12,1000,1000,c;systemd[1]: Started.\n",
    b"7,0,0,-;suspending xenstore...\n",
];

/// Records of `/dev/kmsg`, and the facts that early boot makes of them.
pub fn records(messages: Arc<Messages>) -> Parser {
    let make = move |random: &mut Random| {
        let row = random.below(messages.rows.len() as u64) as usize;
        let line = [b"3,7,70,-;", &forge(&messages, row, random)?[..]].concat();
        let seeds = [&RECORDS[..], &[&line[..]]].concat();
        Ok(mutated(&seeds, &[b";", b",", b"\n "], random))
    };
    Parser::new("kmsg-record", make, |bytes| {
        let Some(record) = Record::parse(bytes) else { return Ok(false) };
        must(!record.text.contains(&b'\n'), "a text ends with its line")?;
        let mut log = KernelLog::default();
        log.take(&record);
        let by_kernel = record.is_from_kernel();
        must(by_kernel || log.facts.is_empty(), "only the kernel makes facts")?;
        Ok(true)
    })
}
