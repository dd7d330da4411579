//! What few guests say: f2fs, JFS, reiserfs, nilfs2, DRBD below a host, stalled tasks, parameters.

use super::cursor::Cursor;
use super::ext4::COMM;
use super::found::{Capture, Match};
use super::ids::Id;

/// `F2FS-fs …`.
pub fn find_f2fs(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"F2FS-fs (")?;
    let device = at.device()?;
    at.text(b"): ")?;
    let found = Match::new(Id::F2fsStop, Some(device));
    if at.rest() == b"Remounting filesystem read-only" {
        return Some(found);
    }
    at.text(b"Stopped filesystem due to reason: ")?;
    let reason = at.digits()?;
    at.end()?;
    Some(found.with(&[(Capture::Reason, Some(reason))]))
}

/// JFS: `ERROR: (device xvda3): …`.
pub fn find_jfs(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"ERROR: (device ")?;
    let device = at.device()?;
    at.text(b"): ")?;
    match at.rest() {
        b"" => None,
        b"remounting filesystem as read-only" => Some(Match::new(Id::JfsRo, Some(device))),
        message => {
            let captures = [(Capture::Message, Some(message))];
            Some(Match::new(Id::JfsError, Some(device)).with(&captures))
        }
    }
}

/// JFS's log, which does not say whose.
pub fn find_jfs_log(line: &[u8]) -> Option<Match<'_>> {
    (line == b"lbmIODone: I/O error in JFS log").then(|| Match::new(Id::JfsLogIo, None))
}

/// `REISERFS …`.
pub fn find_reiserfs(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"REISERFS")?;
    if at.maybe(b" (device ") {
        let device = at.device()?;
        at.last(b"): Remounting filesystem read-only")?;
        return Some(Match::new(Id::ReiserfsRo, Some(device)));
    }
    at.maybe(b":");
    at.text(b" abort (device ")?;
    let device = at.device()?;
    at.text(b"): ")?;
    let captures = [(Capture::Message, Some(at.rest()))];
    Some(Match::new(Id::ReiserfsAbort, Some(device)).with(&captures))
}

/// `reiserfs: …`.
pub fn find_reiserfs_barrier(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"reiserfs: disabling flush barriers on ")?;
    let device = at.device()?;
    at.end()?;
    Some(Match::new(Id::ReiserfsDisBarrier, Some(device)))
}

/// `NILFS …`.
pub fn find_nilfs(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"NILFS warning")?;
    let (mut device, mut function) = (None, None);
    if at.maybe(b" (device ") {
        device = Some(at.device()?);
        at.text(b"): ")?;
        function = Some(at.identifier()?);
    }
    at.last(b": barrier-based sync failed. disabling barriers")?;
    let captures = [(Capture::Function, function)];
    Some(Match::new(Id::NilfsDisBarrier, device).with(&captures))
}

/// DRBD 8.0 to 8.3.10, in the log of a host.
pub fn find_drbd(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::new(line);
    at.maybe(b"block ");
    let start = at;
    at.text(b"drbd")?;
    let length = b"drbd".len() + at.digits().filter(|digits| digits.len() <= 9)?.len();
    at.text(b": bio would need to, but cannot, be split: (")?;
    let mut value = |name, capture| {
        at.one_of(&[name])?;
        Some((capture, Some(at.digits()?)))
    };
    let captures = [
        value(b"vcnt=", Capture::Count)?,
        value(b",idx=", Capture::Index)?,
        value(b",size=", Capture::Size)?,
        value(b",sector=", Capture::Sector)?,
    ];
    at.last(b")")?;
    Some(Match::new(Id::DrbdSplit, start.rest().get(..length)).with(&captures))
}

/// kernel/hung_task.c. Read from its end, where no task can have a word.
pub fn find_hung_task(line: &[u8]) -> Option<Match<'_>> {
    let said = Cursor::after(line, b"INFO: task ")?.rest();
    let said = said.strip_suffix(b".").unwrap_or(said).strip_suffix(b" seconds")?;
    let (said, seconds) = digits_at_end(said)?;
    let said = said.strip_suffix(b" for more than ")?;
    let said = said.strip_suffix(b" in I/O wait").unwrap_or(said).strip_suffix(b" blocked")?;
    let (said, pid) = digits_at_end(said)?;
    let comm = said.strip_suffix(b":")?;
    let captures =
        [(Capture::Comm, Some(comm)), (Capture::Pid, Some(pid)), (Capture::Seconds, Some(seconds))];
    let found = Match::new(Id::HungTask, None).with(&captures);
    (1..=COMM).contains(&comm.len()).then_some(found)
}

fn digits_at_end(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let before = text.iter().rposition(|byte| !byte.is_ascii_digit()).map_or(0, |last| last + 1);
    let (rest, digits) = text.split_at(before);
    (!digits.is_empty()).then_some((rest, digits))
}

/// init/main.c: what the kernel command line has and no part of the kernel knows.
pub fn find_unknown_parameters(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"Unknown ")?;
    let option = if at.maybe(b"kernel command line parameters \"") {
        at.up_to_end(b"\", will be passed to user space.")?
    } else {
        at.text(b"command line parameters:")?;
        at.maybe(b" ");
        at.rest()
    };
    let captures = [(Capture::Option, Some(option))];
    Some(Match::new(Id::KernelUnknownParam, None).with(&captures))
}
