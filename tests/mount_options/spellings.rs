//! The words that are tried: every one of the table, for every file system, and what people make
//! of them.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../agent/logic/data/barrier-options.tsv");

/// What stands in forums, in old documents and in tests of parsers.
const WILD: [&str; 15] = [
    "barriers=0",
    "barriers=1",
    "nobarriers",
    "no_barrier",
    "barrier=",
    "barrier=00",
    "barrier=-1",
    "barrier=yes",
    "barrier=99999999999",
    "nobarrier=1",
    "BARRIER=0",
    "barrier0",
    "x-barrier",
    "nonsense",
    "data=nonsense",
];

/// All words, each once.
pub fn all() -> BTreeSet<String> {
    let rows = TABLE.lines().filter(|line| !line.starts_with('#')).skip(1);
    let columns = rows.filter_map(|row| row.split('\t').nth(4));
    let words = columns.flat_map(|words| words.split('|')).flat_map(instances);
    words.chain(WILD.map(str::to_owned)).collect()
}

/// Words of the table that stand for others are tried as some of these.
fn instances(word: &str) -> Vec<String> {
    match word {
        "(none)" | "*" => Vec::new(),
        numbered if numbered.ends_with("=N") => {
            ["1", "2", "99"].map(|value| numbered.replace('N', value)).to_vec()
        }
        plain => vec![plain.to_owned()],
    }
}
