//! `--picture`: a file beside the story, whole or not at all.

use std::fs;

use crate::setup::Log;

const LOG: &str = "[    1.000000] blkfront: xvda: flush op failed\n\
    [    1.000100] Aborting journal on device xvda1-8.\n";

#[test]
fn the_picture_replaces_a_file_whole_and_the_story_is_told_too() {
    let (log, folder) = (Log::new(LOG), tempfile::tempdir().unwrap());
    let picture = folder.path().join("incident.svg");
    fs::write(&picture, "what was there before").unwrap();
    let ran = log.explain(&["--picture", &picture.to_string_lossy()]);
    assert_eq!((ran.code, ran.err().as_str()), (Some(10), ""), "{ran:?}");
    assert_eq!(ran.out(), log.explain(&[]).out());
    let drawn = fs::read_to_string(&picture).unwrap();
    assert!(drawn.starts_with("<?xml ") && drawn.ends_with("</svg>\n"), "{drawn}");
    assert!(drawn.contains(">first cause<") || drawn.contains("first cause</text>"), "{drawn}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing else is left");
}

#[test]
fn a_picture_that_cannot_be_written_is_73_behind_the_story() {
    let (log, folder) = (Log::new(LOG), tempfile::tempdir().unwrap());
    let nowhere = folder.path().join("missing/incident.svg");
    let ran = log.explain(&["--picture", &nowhere.to_string_lossy()]);
    assert_eq!(ran.code, Some(73), "{ran:?}");
    assert!(ran.out().starts_with("aborted: "), "{ran:?}");
    assert!(ran.err().contains(&*folder.path().join("missing").to_string_lossy()), "{ran:?}");
}

#[test]
fn a_picture_may_go_to_a_pipe() {
    let ran = Log::new(LOG).explain(&["-q", "--picture", "/dev/stdout"]);
    assert_eq!(ran.code, Some(10), "{ran:?}");
    assert!(ran.out().starts_with("aborted: ") && ran.out().ends_with("</svg>\n"), "{ran:?}");
}
