//! The journals of ext3 (jbd) and ext4 (jbd2). jbd2 names a journal by device and inode.

use super::cursor::{Cursor, is_device};
use super::found::{Capture, Match};
use super::ids::Id;

/// Longest name of a device.
const NAME: usize = 31;
/// Digits of a dm number that are believed.
const DM_DIGITS: usize = 9;

/// `A`: the journal has given up.
pub fn find_abort(line: &[u8]) -> Option<Match<'_>> {
    let name = Cursor::after(line, b"Aborting journal on device ")?.up_to_end(b".")?;
    let without_inode = !name.contains(&b'-') && name.len() <= NAME;
    let is_plain = !name.is_empty() && without_inode && name.iter().copied().all(is_device);
    if is_plain || is_dm(name) {
        return Some(Match::new(Id::JbdAbort, Some(name)));
    }
    let (device, inode) = split(name)?;
    Some(Match::new(Id::Jbd2Abort, Some(device)).with(&[(Capture::Inode, Some(inode))]))
}

/// `j`: from the commit of ext3's or an early ext4's journal, which does not say whose.
pub fn find_commit(line: &[u8]) -> Option<Match<'_>> {
    let is_it = line == b"journal commit I/O error";
    is_it.then(|| Match::new(Id::JournalCommitIoError, None))
}

/// `J`: lines that begin with the module.
pub fn find_named(line: &[u8]) -> Option<Match<'_>> {
    match Cursor::after(line, b"JBD: ") {
        Some(at) => of_jbd(at).or_else(|| of_both(at)),
        None => {
            let at = Cursor::after(line, b"JBD2: ")?;
            of_jbd2(at).or_else(|| of_both(at))
        }
    }
}

fn of_jbd(mut at: Cursor<'_>) -> Option<Match<'_>> {
    if at.maybe(b"barrier-based sync failed on ") {
        let device = at.device()?;
        at.last(b" - disabling barriers")?;
        return Some(Match::new(Id::JbdBarrierFail, Some(device)));
    }
    at.text(b"Detected IO errors while flushing file data on ")?;
    let device = at.device()?;
    at.end()?;
    Some(Match::new(Id::JbdDataIo, Some(device)))
}

fn of_jbd2(mut at: Cursor<'_>) -> Option<Match<'_>> {
    if at.maybe(b"Detected IO errors ") {
        let errno = at.number();
        if errno.is_some() {
            at.text(b" ")?;
        }
        at.text(b"while flushing file data on ")?;
        return journal(Id::Jbd2DataIo, at.rest(), errno);
    }
    if at.maybe(b"Error ") {
        let errno = at.number()?;
        at.text(b" detected when updating journal superblock for ")?;
        return journal(Id::Jbd2SbErr, at.up_to_end(b".")?, Some(errno));
    }
    at.text(b"I/O error when updating journal superblock for ")?;
    journal(Id::Jbd2SbErr6, at.up_to_end(b".")?, None)
}

fn of_both(mut at: Cursor<'_>) -> Option<Match<'_>> {
    if matches!(at.rest(), b"recovery failed" | b"journal recovery failed") {
        return Some(Match::new(Id::JbdRecoveryFailed, None));
    }
    at.one_of(&[
        b"previous I/O error detected for journal superblock update for ",
        b"I/O error detected when updating journal superblock for ",
    ])?;
    journal(Id::JbdSbPrev, at.up_to_end(b".")?, None)
}

fn journal<'a>(id: Id, name: &'a [u8], errno: Option<&'a [u8]>) -> Option<Match<'a>> {
    let (device, inode) = match split(name) {
        Some((device, inode)) if !is_dm(name) => (device, Some(inode)),
        _ => (whole(name)?, None),
    };
    let captures = [(Capture::Errno, errno), (Capture::Inode, inode)];
    Some(Match::new(id, Some(device)).with(&captures))
}

/// `dm-0`, which is no journal of inode 0 on `dm`.
fn is_dm(name: &[u8]) -> bool {
    let digits = name.strip_prefix(b"dm-").unwrap_or_default();
    (1..=DM_DIGITS).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit)
}

/// `xvda2-8`: device and inode.
fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let dash = name.iter().rposition(|byte| *byte == b'-')?;
    let (device, inode) = (whole(&name[..dash])?, &name[dash + 1..]);
    (!inode.is_empty() && inode.iter().all(u8::is_ascii_digit)).then_some((device, inode))
}

fn whole(name: &[u8]) -> Option<&[u8]> {
    let fits = (1..=NAME).contains(&name.len());
    (fits && name.iter().copied().all(is_device)).then_some(name)
}
