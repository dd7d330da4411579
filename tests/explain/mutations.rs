//! 100,000 broken logs: none stops the reader, none makes it print without end.

use std::fs;

use harness::random::Random;
use xvdguard_logic::block::BlockTree;
use xvdguard_logic::explain::Explainer;
use xvdguard_logic::explain::story::{Story, Verdict};
use xvdguard_logic::wording::explain::{Detail, tell};

use crate::setup::logs;

const ROUNDS: usize = 100_000;

/// What stands in logs, and what forms are made of.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"[",
    b"]",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b"&gt;",
    b"\x1b[",
    b"<4>",
    b"4,1,1,-;",
    b"[    1.000000] ",
    b"Nov 20 10:00:00 g kernel: ",
    b"__CURSOR=",
    b"MESSAGE\n",
    b"\x01\0\0\0\0\0\0\0",
    b"\"msg\": \"",
    b"99999999999999999999.999999",
    b"-- Boot a --",
    b"Linux version ",
    b"xvda",
];

fn sources() -> Vec<Vec<u8>> {
    let all = logs("forms").into_iter().chain(logs("stories"));
    // Of long logs the beginning: it is read a thousand times.
    all.map(|(_, path)| fs::read(path).unwrap().into_iter().take(1000).collect()).collect()
}

fn mutate(log: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..1 + random.below(8) {
        let at = random.below(log.len() as u64 + 1) as usize;
        match random.below(5) {
            0 if at < log.len() => log[at] = random.next_u64() as u8,
            1 => log.truncate(at),
            2 => drop(log.splice(at..at, random.choose(&PIECES).unwrap().iter().copied())),
            3 => {
                let end = (at + random.below(200) as usize).min(log.len());
                let part = log[at..end].to_vec();
                log.splice(at..at, part);
            }
            _ => {
                let end = (at + random.below(40) as usize).min(log.len());
                log.drain(at..end);
            }
        }
    }
}

fn explain(log: &[u8], random: &mut Random) -> Story {
    let mut explainer = Explainer::new(BlockTree::default(), None);
    let size = 1 + random.below(2000) as usize;
    log.chunks(size).for_each(|piece| explainer.take(piece));
    explainer.finish()
}

#[test]
fn a_hundred_thousand_broken_logs_are_read_to_their_end() {
    let mut random = Random::from_environment();
    let sources = sources();
    for _ in 0..ROUNDS {
        let mut log = random.choose(&sources).unwrap().clone();
        mutate(&mut log, &mut random);
        let story = explain(&log, &mut random);
        let printed: usize = tell(&story, Detail::All).iter().map(|line| line.text.len()).sum();
        // A finding shows at most 400 bytes, each of four characters; the rest is ours.
        let findings: usize = story.subjects.iter().map(|one| one.findings.len()).sum();
        assert!(printed < 40_000 + 4000 * (findings + story.subjects.len()), "{printed}: {log:?}");
        assert_eq!(story.verdict == Verdict::Healthy, story.first_cause.is_none(), "{log:?}");
        assert!(story.subjects.iter().all(|one| one.verdict <= story.verdict), "{log:?}");
    }
}
