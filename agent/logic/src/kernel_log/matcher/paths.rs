//! What a storage host says about the paths to its storage: iSCSI, SCSI, multipath, DRBD.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// No number of a connection, session or device is longer.
const DIGITS: usize = 9;

/// ` connection1:0: …` and ` session1: …`: the class of these devices has no driver, whose name
/// would stand before the space (dev_printk in drivers/base/core.c).
pub fn find_iscsi(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::new(line);
    at.maybe(b" ");
    match at.rest().first()? {
        b'c' => connection(at),
        b's' => session(at),
        _ => None,
    }
}

fn connection(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let start = at.rest();
    at.text(b"connection")?;
    number(&mut at)?;
    at.text(b":")?;
    number(&mut at)?;
    let device = start.get(..start.len() - at.rest().len());
    at.text(b": ")?;
    if at.maybe(b"ping timeout of ") {
        let seconds = at.digits()?;
        at.text(b" secs expired, ")?;
        let captures = [(Capture::Seconds, Some(seconds))];
        return Some(Match::new(Id::IscsiPingTimeout, device).with(&captures));
    }
    at.maybe(b"iscsi: ");
    at.text(b"detected conn error (")?;
    let errno = at.digits()?;
    at.last(b")")?;
    Some(Match::new(Id::IscsiConnError, device).with(&[(Capture::Errno, Some(errno))]))
}

fn session(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let start = at.rest();
    at.text(b"session")?;
    number(&mut at)?;
    let device = start.get(..start.len() - at.rest().len());
    at.text(b": session recovery timed out after ")?;
    let seconds = at.digits()?;
    at.last(b" secs")?;
    Some(Match::new(Id::IscsiSessionTimeout, device).with(&[(Capture::Seconds, Some(seconds))]))
}

/// `sd 0:0:0:1: [sdb] …`
pub fn find_scsi(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"sd ")?;
    let start = at.rest();
    number(&mut at)?;
    for _ in 0..3 {
        at.text(b":")?;
        number(&mut at)?;
    }
    let device = start.get(..start.len() - at.rest().len());
    at.text(b": ")?;
    let mut member = None;
    if at.maybe(b"[") {
        member = Some(at.device()?);
        at.text(b"] ")?;
    }
    at.last(b"rejecting I/O to offline device")?;
    Some(Match::new(Id::ScsiOffline, device).with(&[(Capture::Member, member)]))
}

/// drivers/md/dm-mpath.c; since 4.18 with the numbers of the map before the path.
pub fn find_multipath(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"device-mapper: multipath: ")?;
    let mut ahead = at;
    let map = pair(&mut ahead).filter(|_| ahead.maybe(b": "));
    if map.is_some() {
        at = ahead;
    }
    let id = match at.one_of(&[b"Failing path ", b"Reinstating path "])? {
        b"Failing path " => Id::MultipathFailing,
        _ => Id::MultipathReinstating,
    };
    let path = pair(&mut at)?;
    at.last(b".")?;
    Some(Match::new(id, Some(path)).with(&[(Capture::Map, map)]))
}

/// DRBD 8 without a disk to read from or write to.
pub fn find_drbd(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::new(line);
    at.maybe(b"block ");
    let start = at.rest();
    at.text(b"drbd")?;
    number(&mut at)?;
    let device = start.get(..start.len() - at.rest().len());
    at.text(b": IO ERROR: neither local nor remote ")?;
    let found = Match::new(Id::DrbdNoDisk, device);
    if at.rest() == b"disk" {
        return Some(found);
    }
    at.text(b"data, sector ")?;
    let sector = at.digits()?;
    at.text(b"+")?;
    let count = at.digits()?;
    at.end()?;
    Some(found.with(&[(Capture::Sector, Some(sector)), (Capture::Count, Some(count))]))
}

/// `8:16`
fn pair<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut ahead = *at;
    number(&mut ahead)?;
    ahead.text(b":")?;
    number(&mut ahead)?;
    let start = at.rest();
    *at = ahead;
    start.get(..start.len() - at.rest().len())
}

fn number(at: &mut Cursor<'_>) -> Option<()> {
    at.digits().filter(|digits| digits.len() <= DIGITS).map(|_| ())
}
