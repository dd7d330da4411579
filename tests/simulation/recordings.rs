//! Recordings of seeds: what is read back is what was played, and `decide` says it again.

use std::process::Command;

use harness::programs;
use xvdguard_linux::recording::reader::{Reader, Wrong};
use xvdguard_linux::recording::ring::Ring;
use xvdguard_linux::recording::{Decided, HEADER, Turn};
use xvdguard_logic::decide::decide;

use crate::run;
use crate::worlds;

/// Some that reboot, some that recover, some that are struck.
const SEEDS: std::ops::Range<u64> = 0..40;

fn record(seed: u64, room: usize) -> (usize, Vec<u8>) {
    let mut recording = Ring::new(room);
    let story = run::record(seed, &worlds::script(seed, decide), decide, &mut recording);
    (story.turns, recording.document("1.2.3"))
}

fn turns(document: &[u8]) -> Vec<Turn> {
    let mut reader = Reader::new(document).unwrap();
    assert_eq!(reader.version, "1.2.3");
    std::iter::from_fn(|| reader.next_turn().unwrap()).collect()
}

#[test]
fn every_turn_of_a_seed_is_read_back_and_decided_again() {
    for seed in SEEDS {
        let (count, document) = record(seed, usize::MAX);
        let turns = turns(&document);
        assert_eq!(turns.len(), count, "seed {seed}");
        for turn in turns {
            let decision = decide(&turn.settings, turn.memory.clone(), &turn.world);
            let today = Decided::of(&decision, &turn.memory, &decision.memory);
            assert_eq!(today, turn.decided, "seed {seed}");
        }
    }
}

#[test]
fn a_ring_keeps_the_last_turns_as_they_were() {
    const ROOM: usize = 64 * 1024;
    for seed in SEEDS {
        let all = turns(&record(seed, usize::MAX).1);
        let (_, document) = record(seed, ROOM);
        let last = turns(&document);
        assert!(!last.is_empty() && all.ends_with(&last), "seed {seed}: {}", last.len());
        assert!(document.len() < 2 * ROOM, "seed {seed}: {}", document.len());
    }
}

#[test]
fn what_is_no_recording_is_told_with_its_line() {
    let (_, document) = record(0, usize::MAX);
    assert_eq!(Reader::new(b"").unwrap_err(), Wrong::NoRecording);
    assert_eq!(Reader::new(b"boot_id: 1").unwrap_err(), Wrong::NoRecording);
    let wrong = |text: &str| Reader::new(text.as_bytes()).unwrap().next_turn().unwrap_err();
    assert_eq!(wrong(&format!("{HEADER} 1\nsettings {{}}\nnonsense 1\n")), Wrong::Line(3));
    assert_eq!(
        wrong(&format!("{HEADER} 1\nmemory.volumes.99999999999999999999 1")),
        Wrong::Line(2)
    );
    assert_eq!(wrong(&format!("{HEADER} 1\n\ndecided {{}}")), Wrong::Part(3, "decided".into()));
    // Cut anywhere, it is read up to there.
    for end in (0..document.len()).step_by(document.len() / 50) {
        let Ok(mut reader) = Reader::new(&document[..end]) else { continue };
        while let Ok(Some(_)) = reader.next_turn() {}
    }
}

#[test]
fn the_program_steps_through_a_seed_and_shows_where_it_would_decide_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("seed.turns");
    let replay = |content: &[u8], options: &[&str]| {
        std::fs::write(&file, content).unwrap();
        let mut program = Command::new(programs::xvdguard());
        let output = program.args(options).arg("replay").arg(&file).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    // A volume that dies and is brought back.
    let (_, document) = record(3, usize::MAX);
    let (code, told) = replay(&document, &[]);
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("turn 1, "), "{told}");
    assert!(told.contains("ask xvda whether it answers"), "{told}");
    let text = String::from_utf8(document).unwrap();
    let other = text.replacen("\"wake_ms\":", "\"wake_ms\":7", 1);
    let (code, told) = replay(other.as_bytes(), &["-q"]);
    assert_eq!(code, 1, "{told}");
    assert!(told.starts_with("turn 1, ") && told.contains("TODAY"), "{told}");
    assert_eq!(told.matches("turn ").count(), 1, "{told}");
    assert_eq!(replay(b"something else", &[]).0, 66);
    let (code, told) = replay(text.as_bytes(), &["--json"]);
    let document: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!((code, document["turns"][0]["today"].is_null()), (0, true));
    assert_eq!(document["recorded_by"], "1.2.3");
}
