//! Files of an administrator that hold anything: no rule panics, nothing is shown unescaped.
//!
//! Each seed takes the files of all fixtures and changes some bytes; a failure prints its seed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::{Duration, Instant};

use harness::random::Random;
use xvdguard_linux::observe::Look;
use xvdguard_linux::observe::setup;
use xvdguard_linux::observe::vbds::Depth;
use xvdguard_linux::root::Root;
use xvdguard_linux::world::{Places, World};
use xvdguard_logic::audit::setup::{File, Setup, kept};
use xvdguard_logic::audit::{self, Case};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::policy::Policy;
use xvdguard_logic::text::Text;

use crate::fixture::{self, Fixture};

const ROUNDS: usize = 1_000;

/// Bytes that mean something to some reader.
const SPECIAL: &[u8] = b"\0\n\r\t \"'#,:;=/\\*-|\x1b\xff09";

/// The files of every case, as the audit reads them.
fn all_files() -> Vec<File> {
    let mut files = Vec::new();
    for rule in fs::read_dir(fixture::folder().join("rules")).unwrap() {
        for case in fs::read_dir(rule.unwrap().path()).unwrap() {
            let guest = Fixture::read(&case.unwrap().path()).expand();
            let root = Root::at(guest.path().as_os_str().as_bytes()).unwrap();
            let deadline = Instant::now() + Duration::from_secs(60);
            files.extend(setup::read(&root, deadline, &mut Vec::new()).unwrap());
        }
    }
    files
}

fn observation() -> Observation {
    let guest = Fixture::base("debian12").expand();
    let places = Places { root: Some(guest.path().to_owned()), ..Places::default() };
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut world = World::open(&places, deadline).unwrap();
    world.observe(Look { depth: Depth::All, deadline })
}

fn mutate(content: &Text, random: &mut Random) -> Text {
    let mut bytes = content.as_bytes().to_vec();
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len() as u64 + 1) as usize;
        let special = *random.choose(SPECIAL).unwrap();
        match random.below(5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, special),
            2 => bytes.extend_from_within(..at),
            3 => bytes.splice(at..at, b"99999999999999999999".iter().copied()).for_each(drop),
            _ => bytes[at..].iter_mut().take(1).for_each(|byte| *byte = special),
        }
        bytes.truncate(1 << 16);
    }
    Text::from(bytes)
}

#[test]
fn files_that_hold_anything_are_audited_without_harm() {
    let mut random = Random::from_environment();
    let (files, seen) = (all_files(), observation());
    for _ in 0..ROUNDS {
        let mut some: Vec<File> = (0..24).filter_map(|_| random.choose(&files).cloned()).collect();
        for file in &mut some {
            file.content = file.content.as_ref().map(|content| mutate(content, &mut random));
            let kept = kept(file).unwrap_or_default();
            let lines = |text: &Text| text.as_bytes().iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(lines(&kept), file.content.as_ref().map_or(0, lines));
        }
        let setup = Setup::from_files(&some);
        let (carriers, policy) = (BTreeMap::new(), Policy::default());
        let case = Case {
            seen: &seen,
            setup: &setup,
            carriers: &carriers,
            disks: &[],
            reports: &[],
            policy: &policy,
            problems: &[],
        };
        for finding in audit::audit(&case) {
            let shown = [finding.place, finding.text, finding.remedy].concat();
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
}
