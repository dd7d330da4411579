//! XFS up to 2.6.38: `Filesystem "xvda1": …`, and lines without a device.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// `F`.
pub fn find_named(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"Filesystem \"")?;
    let device = at.device()?;
    at.text(b"\": ")?;
    if at.rest() == PLEASE {
        return Some(Match::new(Id::XfsPleaseUmount26, Some(device)));
    }
    barrier_trial(at, device).or_else(|| shutdown(at, device))
}

const PLEASE: &[u8] = b"Please umount the filesystem, and rectify the problem(s)";

/// `P`: the last word of a shutdown, mostly without a device.
pub fn find_please(line: &[u8]) -> Option<Match<'_>> {
    (line == PLEASE).then(|| Match::new(Id::XfsPleaseUmount26, None))
}

fn barrier_trial<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    at.text(b"Disabling barriers, ")?;
    let reason = at.one_of(&[
        b"trial barrier write failed",
        b"not supported with external log device",
        b"underlying device is readonly",
        b"not supported by the underlying device",
    ])?;
    at.end()?;
    Some(Match::new(Id::XfsBarrierTrial, Some(device)).with(&[(Capture::Reason, Some(reason))]))
}

fn shutdown<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let reason = at.one_of(&[
        b"Log I/O Error Detected",
        b"I/O Error Detected",
        b"Corruption of in-memory data detected",
    ])?;
    at.text(b".  Shutting down filesystem: ")?;
    Some(Match::new(Id::XfsShutdown26, Some(device)).with(&[(Capture::Reason, Some(reason))]))
}

/// `I`: a buffer of metadata or of the log.
pub fn find_buffer(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"I/O error in filesystem (\"")?;
    let device = at.device()?;
    at.text(b"\") meta-data dev ")?;
    let member = at.device()?;
    at.text(b" block ")?;
    let block = at.hexadecimal()?;
    at.text(b" ")?;
    let captures = [(Capture::Member, Some(member)), (Capture::Block, Some(block))];
    Some(Match::new(Id::XfsIo26, Some(device)).with(&captures))
}

/// `x`.
pub fn find_force_shutdown(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"xfs_force_shutdown(")?;
    let device = at.device()?;
    at.text(b",")?;
    let flags = at.hexadecimal()?;
    at.text(b") called from line ")?;
    let captures = [(Capture::Flags, Some(flags))];
    Some(Match::new(Id::XfsForceShutdown26, Some(device)).with(&captures))
}

/// `E`.
pub fn find_recovered(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"Ending XFS recovery on filesystem: ")?;
    let device = at.device()?;
    at.text(b" (logdev: ")?;
    let log = at.before(b')')?;
    at.last(b")")?;
    Some(Match::new(Id::XfsRecovered26, Some(device)).with(&[(Capture::Log, Some(log))]))
}
