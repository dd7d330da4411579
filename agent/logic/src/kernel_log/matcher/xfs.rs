//! XFS since 2.6.39: `XFS (xvda1): …`. Older forms are in `xfs_26`.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// Why it was shut down, since 5.14 (fs/xfs/xfs_fsops.c).
const REASONS: [&[u8]; 6] = [
    b"Log I/O Error",
    b"Metadata I/O Error",
    b"Corruption of in-memory data",
    b"Corruption of on-disk metadata",
    b"Block device removal",
    b"User initiated shutdown",
];

/// `XFS …`.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"XFS")?;
    if !at.maybe(b" (") {
        at.text(b": ")?;
        return bad_option(at, None);
    }
    let device = at.device()?;
    at.text(b"): ")?;
    let found = match at.rest().first()? {
        b'E' => mounted(at, device),
        b'P' => please(at, device),
        b'l' => log_error(at, device),
        b'm' => metadata(at, device),
        b'x' => functions(at, device),
        b'n' | b'b' => deprecated(at, device),
        b'w' => writeback(at, device),
        b'u' => bad_option(at, Some(device)),
        b'F' => log_shutdown(at, device),
        _ => None,
    };
    found.or_else(|| shutdown_3(at, device)).or_else(|| shutdown_514(at, device))
}

fn mounted<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    if at.rest() == b"Ending clean mount" {
        return Some(Match::new(Id::XfsCleanMount, Some(device)));
    }
    at.text(b"Ending recovery (logdev: ")?;
    let log = at.before(b')')?;
    at.last(b")")?;
    Some(Match::new(Id::XfsRecovered, Some(device)).with(&[(Capture::Log, Some(log))]))
}

/// "umount" up to 4.15, "unmount" later.
fn please<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.one_of(&[b"Please umount", b"Please unmount"])?;
    at.text(b" the filesystem and rectify the problem(s)")?;
    at.maybe(b".");
    at.end()?;
    Some(Match::new(Id::XfsPleaseUmount, Some(device)))
}

fn log_error<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.text(b"log I/O error ")?;
    let errno = at.number()?;
    at.end()?;
    Some(Match::new(Id::XfsLogIo, Some(device)).with(&[(Capture::Errno, Some(errno))]))
}

fn metadata<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.text(b"metadata I/O error")?;
    at.one_of(&[b" in ", b": "])?;
    Some(Match::new(Id::XfsMetaIo, Some(device)))
}

fn functions<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    if at.maybe(b"xfs_do_force_shutdown(") {
        let flags = at.hexadecimal()?;
        at.text(b") called from line ")?;
        let captures = [(Capture::Flags, Some(flags))];
        return Some(Match::new(Id::XfsForceShutdownCall, Some(device)).with(&captures));
    }
    at.text(b"xfs_log_force")?;
    at.maybe(b"_umount");
    at.text(b": error ")?;
    let errno = at.number()?;
    at.last(b" returned.")?;
    Some(Match::new(Id::XfsLogForce, Some(device)).with(&[(Capture::Errno, Some(errno))]))
}

fn deprecated<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let option = at.one_of(&[b"nobarrier", b"barrier"])?;
    at.text(b" option is deprecated, ignoring")?;
    at.maybe(b".");
    at.end()?;
    Some(Match::new(Id::XfsDepBarrier, Some(device)).with(&[(Capture::Option, Some(option))]))
}

/// `writeback error on sector 8`; iomap says the same behind the bare device (see `words`).
pub fn writeback<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.text(b"writeback error on ")?;
    let what = at.one_of(&[b"sector", b"inode"])?;
    at.text(b" ")?;
    let captures = [(Capture::What, Some(what)), (Capture::Count, Some(at.digits()?))];
    Some(Match::new(Id::XfsWriteback, Some(device)).with(&captures))
}

fn bad_option<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    at.text(b"unknown mount option [")?;
    let option = at.before(b']')?;
    at.text(b"]")?;
    at.maybe(b".");
    at.end()?;
    Some(Match::new(Id::XfsBadOpt, device).with(&[(Capture::Option, Some(option))]))
}

fn log_shutdown<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.text(b"Filesystem has been shut down due to log error (")?;
    let flags = at.hexadecimal()?;
    at.last(b").")?;
    Some(Match::new(Id::XfsLogShutdown, Some(device)).with(&[(Capture::Flags, Some(flags))]))
}

/// 2.6.39 to 5.13.
fn shutdown_3<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let corruption: &[u8] = b"Corruption of in-memory data detected";
    let reason = at.one_of(&[b"Log I/O Error Detected", b"I/O Error Detected", corruption])?;
    at.text(b". ")?;
    at.maybe(b" ");
    at.last(b"Shutting down filesystem")?;
    if reason == corruption {
        return Some(Match::new(Id::XfsCorruptShutdown, Some(device)));
    }
    Some(Match::new(Id::XfsShutdown3, Some(device)).with(&[(Capture::Reason, Some(reason))]))
}

fn shutdown_514<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let reason = at.one_of(&REASONS)?;
    at.text(b" (")?;
    let flags = at.hexadecimal()?;
    at.text(b") detected at ")?;
    let place = at.up_to_end(b" Shutting down filesystem.")?;
    // Two spaces end the sentence; one would do.
    let place = place.strip_suffix(b" ").filter(|two| two.ends_with(b".")).unwrap_or(place);
    let captures = [
        (Capture::Reason, Some(reason)),
        (Capture::Flags, Some(flags)),
        (Capture::Message, Some(place.strip_suffix(b".")?)),
    ];
    Some(Match::new(Id::XfsShutdown514, Some(device)).with(&captures))
}
