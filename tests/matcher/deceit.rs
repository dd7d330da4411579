//! What processes can bring into the kernel's lines: names of tasks and files, and whole lines of
//! their own with the kernel's words in them. Nothing of it may move a finding to another device.

use harness::messages::Messages;
use harness::random::Random;
use xvdguard_logic::kernel_log::matcher::{self, Capture, Id};

#[track_caller]
fn check(line: &str, expected: Option<(Id, Option<&str>)>) {
    let found = matcher::find(line.as_bytes());
    let found = found.map(|found| (found.id, found.device));
    let expected = expected.map(|(id, device)| (id, device.map(str::as_bytes)));
    assert_eq!(found, expected, "{line}");
}

#[test]
fn words_of_the_kernel_inside_other_lines_are_nothing() {
    for line in [
        "systemd[1]: blkfront: xvda: flush op failed",
        "audit: comm=\"blkfront: xvda: flush op failed\"",
        " EXT4-fs (xvda2): Remounting filesystem read-only",
        "x EXT4-fs (xvda2): Remounting filesystem read-only",
        "usb 1-1: Product: Aborting journal on device xvda2-8.",
        "IPv4: martian source Remounting filesystem read-only",
        "Remounting filesystem read-only, said somebody",
        "foo[1]: segfault at 0 ip 0 sp 0 error 4 in Aborting journal on device xvda2.",
        "my process: writeback error on inode 1, offset 0",
        "Aborting journal on device xvda2-8. And more.",
        "end_request: I/O error, dev xvda, sector 5 of mine",
        "",
    ] {
        check(line, None);
    }
}

#[test]
fn the_name_of_a_task_is_no_device_and_no_message() {
    let stalled = "INFO: task jbd2/xvda2-8:412 blocked for more than 120 seconds.";
    check(stalled, Some((Id::HungTask, None)));
    let forged = "INFO: task a:1 blocked for:412 blocked for more than 120 seconds.";
    check(forged, Some((Id::HungTask, None)));
    let line = "EXT4-fs error (device xvda1): ext4_journal_check_start:87: comm (device xvdb): \
                Detected aborted journal";
    check(line, Some((Id::Ext4DetectedAbort, Some("xvda1"))));
    let line = "EXT4-fs error (device xvda1): f:7: comm a: Abort forced: something else";
    check(line, Some((Id::Ext4Error, Some("xvda1"))));
}

#[test]
fn the_name_of_a_file_makes_no_abort_of_an_error() {
    for name in ["x: Detected aborted journal", "comm a: Detected aborted journal", "x): y"] {
        let line = format!(
            "EXT4-fs error (device xvda2): htree_dirblock_to_tree:914: inode #2: block 8: comm \
             ls: path /tmp/{name}"
        );
        check(&line, Some((Id::Ext4Error, Some("xvda2"))));
    }
    let line = "EXT3-fs error (device xvda2): ext3_readdir: /tmp/x: Detected aborted journal";
    check(line, Some((Id::Ext3Error, Some("xvda2"))));
}

/// The parts that a process may choose. What stands there never changes which device is meant.
const CHOSEN: [(Capture, usize); 2] = [(Capture::Comm, 15), (Capture::Message, 60)];

#[test]
fn no_chosen_text_moves_a_finding_to_another_device() {
    let messages = Messages::read().unwrap();
    let mut random = Random::from_environment();
    let mut tried = 0;
    for row in &messages.rows {
        for _ in 0..200 {
            let line = row.grow(&mut random).unwrap();
            tried +=
                CHOSEN.iter().filter(|chosen| forge_part(&line, **chosen, &mut random)).count();
        }
    }
    assert!(tried > 1000, "only {tried} lines have such a part");
}

/// Puts another text in the place of a part, if the line has it, and holds the device to be the
/// same still.
#[track_caller]
fn forge_part(line: &[u8], (part, longest): (Capture, usize), random: &mut Random) -> bool {
    let Some(found) = matcher::find(line) else { return false };
    let Some(text) = found.get(part) else { return false };
    let start = text.as_ptr() as usize - line.as_ptr() as usize;
    let (before, behind) = (&line[..start], &line[start + text.len()..]);
    let forged = [before, &chosen(longest, random), behind].concat();
    if let Some(now) = matcher::find(&forged) {
        assert_eq!(now.device, found.device, "\"{}\"", forged.escape_ascii());
    }
    true
}

/// Up to so many bytes, made to be mistaken for the kernel's.
fn chosen(longest: usize, random: &mut Random) -> Vec<u8> {
    let pieces: [&[u8]; 6] =
        [b"(device xvdz): ", b"comm x: ", b"Detected aborted journal", b"dev xvdz", b": ", b"\xff"];
    let mut text = b"x".to_vec();
    while text.len() < longest {
        text.extend_from_slice(random.choose(&pieces).copied().unwrap_or_default());
    }
    text.truncate(1 + random.below(longest as u64) as usize);
    text
}
