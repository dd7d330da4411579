//! ext4. Behind `comm` stands a name that a process chose itself: at most 15 bytes, any of them.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// TASK_COMM_LEN of the kernel, without its NUL.
pub const COMM: usize = 15;

/// `EXT4-fs …`.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"EXT4-fs")?;
    if at.maybe(b" (") {
        let device = at.device()?;
        at.text(b"): ")?;
        return message(at, device).or_else(|| bad_option(at, Some(device)));
    }
    if at.maybe(b" error (device ") {
        let device = at.device()?;
        at.text(b")")?;
        return error(at, device);
    }
    if at.maybe(b" warning (device ") {
        return end_bio(at);
    }
    at.text(b": ")?;
    bad_option(at, None)
}

fn message<'a>(at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let id = match at.rest() {
        b"Remounting filesystem read-only" => Id::Ext4RemountRo,
        b"barriers disabled" => Id::Ext4BarriersOff,
        b"recovery complete" => Id::Ext4RecoveryOk,
        rest if rest.starts_with(b"mounted filesystem ") => Id::Ext4Mounted,
        rest if rest.starts_with(UNWRITTEN) => Id::Ext4UnwrittenLost,
        _ => return numbered(at, device),
    };
    Some(Match::new(id, Some(device)))
}

const UNWRITTEN: &[u8] =
    b"failed to convert unwritten extents to written extents -- potential data loss!";

fn numbered<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let (id, capture) = match at.rest() {
        b"I/O error while writing superblock" | b"previous I/O error to superblock detected" => {
            (Id::Ext4SbIo, (Capture::What, Some(at.rest())))
        }
        _ if at.maybe(b"shut down requested (") => {
            let flags = at.digits()?;
            at.last(b")")?;
            (Id::Ext4ShutdownReq, (Capture::Flags, Some(flags)))
        }
        _ => {
            at.text(b"Delayed block allocation failed for inode ")?;
            let inode = at.digits()?;
            at.text(b" at ")?;
            (Id::Ext4DelallocLost, (Capture::Inode, Some(inode)))
        }
    };
    Some(Match::new(id, Some(device)).with(&[capture]))
}

fn bad_option<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    at.text(b"Unrecognized mount option \"")?;
    let option = at.before(b'"')?;
    at.last(b"\" or missing value")?;
    Some(Match::new(Id::Ext4BadOpt, device).with(&[(Capture::Option, Some(option))]))
}

fn end_bio(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let device = at.device()?;
    at.text(b"): ext4_end_bio:")?;
    let line = at.digits()?;
    at.text(b": I/O error ")?;
    let errno = at.number();
    if errno.is_some() {
        at.text(b" ")?;
    }
    at.text(b"writing to inode ")?;
    let inode = at.digits()?;
    at.text(b" ")?;
    let captures =
        [(Capture::Line, Some(line)), (Capture::Errno, errno), (Capture::Inode, Some(inode))];
    Some(Match::new(Id::Ext4EndBio, Some(device)).with(&captures))
}

/// Behind `EXT4-fs error (device xvda2)`: `: func:line: ` or ` in func:line: `.
fn error<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let is_standard = at.one_of(&[b" in ", b": "])? == b" in ";
    let function = at.identifier()?;
    at.text(b":")?;
    let line = if at.rest().starts_with(b" ") { None } else { Some(line(&mut at)?) };
    at.text(b" ")?;
    let place = [(Capture::Function, Some(function)), (Capture::Line, line)];
    if !is_standard && let Some(found) = special(at, device, place) {
        return Some(found);
    }
    let id = if is_standard { Id::Ext4StdError } else { Id::Ext4Error };
    let message = (Capture::Message, Some(at.rest()));
    Some(Match::new(id, Some(device)).with(&[place[0], place[1], message]))
}

/// Since 3.2: `87:`.
fn line<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let line = at.digits()?;
    at.text(b":")?;
    Some(line)
}

/// Errors that have a row of their own.
fn special<'a>(
    at: Cursor<'a>,
    device: &'a [u8],
    [function, line]: [(Capture, Option<&'a [u8]>); 2],
) -> Option<Match<'a>> {
    let name = function.1?;
    let found = |id, comm| {
        let captures = [function, line, (Capture::Comm, comm)];
        Match::new(id, Some(device)).with(&captures)
    };
    if let Some(comm) = said_by(at.rest(), b"Detected aborted journal") {
        return Some(found(Id::Ext4DetectedAbort, comm));
    }
    if matches!(name, b"ext4_remount" | b"__ext4_remount") {
        let comm = said_by(at.rest(), b"Abort forced by user")?;
        return Some(found(Id::Ext4AbortUser, comm));
    }
    let comm = said_by(at.rest(), b"Couldn't clean up the journal")?;
    (name == b"ext4_put_super" && line.1.is_some()).then(|| found(Id::Ext4UmountJournal, comm))
}

/// Whether `rest` says `message`, since 5.11 behind the task that met it: `comm touch: `. The
/// length of that name is the proof that the message is the kernel's, not a part of the name.
fn said_by<'a>(rest: &'a [u8], message: &[u8]) -> Option<Option<&'a [u8]>> {
    let before = rest.strip_suffix(message)?;
    if before.is_empty() {
        return Some(None);
    }
    let comm = before.strip_prefix(b"comm ")?.strip_suffix(b": ")?;
    (1..=COMM).contains(&comm.len()).then_some(Some(comm))
}
