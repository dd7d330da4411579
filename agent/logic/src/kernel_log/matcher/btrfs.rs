//! btrfs, whose lines begin in five ways: `btrfs: `, `BTRFS: `, `BTRFS (device xvda): `,
//! `BTRFS error (device xvda state EA): ` and `BTRFS: error (device xvda: state EA) in `.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// No level that btrfs prints is longer.
const LEVEL: usize = 10;

/// `B`, `b`.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    if matches!(line, b"btrfs forced readonly" | b"btrfs is forced readonly") {
        return Some(Match::new(Id::BtrfsRo, None));
    }
    if let Some(at) = Cursor::after(line, b"btrfs: disabling barriers on dev ") {
        let member = (Capture::Member, Some(member(at)?));
        return Some(Match::new(Id::BtrfsDisBarrier, None).with(&[member]));
    }
    let mut at = Cursor::new(line);
    let head = Head::read(&mut at)?;
    if head.level.is_some() && head.device.is_some() && at.maybe(b" in ") {
        return failed(at, head);
    }
    at.text(b": ")?;
    message(at, head)
}

/// `l`: 3.0 said this of a path, without more.
pub fn find_lost(line: &[u8]) -> Option<Match<'_>> {
    lost(Cursor::new(line), Head::default())
}

fn message<'a>(mut at: Cursor<'a>, head: Head<'a>) -> Option<Match<'a>> {
    match at.rest() {
        b"forced readonly" => Some(head.found(Id::BtrfsRo, &[])),
        b"remounting read-write after error is not allowed"
        | b"Remounting read-write after error is not allowed" => {
            Some(head.found(Id::BtrfsNoRw, &[]))
        }
        _ if at.maybe(b"Transaction aborted (error ") => {
            let errno = at.number()?;
            at.last(b")")?;
            Some(head.found(Id::BtrfsAbort, &[(Capture::Errno, Some(errno))]))
        }
        _ if at.maybe(b"bdev ") => errors(at, head),
        _ => lost(at, head),
    }
}

/// The counters of a device since it was added.
fn errors<'a>(mut at: Cursor<'a>, head: Head<'a>) -> Option<Match<'a>> {
    let member = (Capture::Member, Some(path(at.before(b' ')?)?));
    let mut count = |name, capture| {
        at.one_of(&[name])?;
        Some((capture, Some(at.digits()?)))
    };
    let captures = [
        member,
        count(b" errs: wr ", Capture::Write)?,
        count(b", rd ", Capture::Read)?,
        count(b", flush ", Capture::Flush)?,
        count(b", corrupt ", Capture::Corrupt)?,
        count(b", gen ", Capture::Generation)?,
    ];
    at.end()?;
    Some(head.found(Id::BtrfsErrs, &captures))
}

/// Behind ` in `: what made a transaction fail.
fn failed<'a>(mut at: Cursor<'a>, head: Head<'a>) -> Option<Match<'a>> {
    let function = at.identifier()?;
    at.text(b":")?;
    let line = at.digits()?;
    at.text(b": errno=")?;
    let errno = at.number()?;
    at.text(b" ")?;
    let captures = [
        (Capture::Function, Some(function)),
        (Capture::Line, Some(line)),
        (Capture::Errno, Some(errno)),
        (Capture::Message, Some(at.rest())),
    ];
    Some(head.found(Id::BtrfsErrno, &captures))
}

fn lost<'a>(mut at: Cursor<'a>, head: Head<'a>) -> Option<Match<'a>> {
    at.one_of(&[b"lost page write due to ", b"lost sb write due to "])?;
    at.one_of(&[b"I/O error on /dev/", b"IO error on /dev/"])?;
    let member = at.some(|byte| !is_space(byte))?;
    let errno = if at.maybe(b" (") {
        let errno = at.number()?;
        at.last(b")")?;
        Some(errno)
    } else {
        at.end()?;
        None
    };
    let captures = [(Capture::Member, Some(member)), (Capture::Errno, errno)];
    Some(head.found(Id::BtrfsLostPage, &captures))
}

/// A path to the end of the line.
fn member(at: Cursor<'_>) -> Option<&[u8]> {
    path(at.rest()).filter(|path| !path.is_empty())
}

/// A path without `/dev/`, if no space is in it.
fn path(path: &[u8]) -> Option<&[u8]> {
    let below = path.strip_prefix(b"/dev/").filter(|below| !below.is_empty());
    (!path.iter().copied().any(is_space)).then(|| below.unwrap_or(path))
}

/// `\s` of a regular expression.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// How a line begins.
#[derive(Debug, Clone, Copy, Default)]
struct Head<'a> {
    level: Option<&'a [u8]>,
    device: Option<&'a [u8]>,
    state: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    fn read(at: &mut Cursor<'a>) -> Option<Self> {
        let mut head = Head::default();
        if at.maybe(b"btrfs") {
            return Some(head);
        }
        at.text(b"BTRFS")?;
        let mut ahead = *at;
        ahead.maybe(b":");
        head.level = level(&mut ahead);
        head.read_device(&mut ahead);
        if ahead.rest().starts_with(b": ") || ahead.rest().starts_with(b" in ") {
            *at = ahead;
            return Some(head);
        }
        // The colon ends the head already, and the word behind it was no level.
        Some(Head::default())
    }

    fn read_device(&mut self, at: &mut Cursor<'a>) -> Option<()> {
        let mut ahead = *at;
        ahead.text(b" (device ")?;
        let device = ahead.device()?;
        let state = match ahead.one_of(&[b": state ", b" state "]) {
            Some(_) => Some(ahead.some(|byte| byte.is_ascii_uppercase())?),
            None => None,
        };
        ahead.text(b")")?;
        (self.device, self.state) = (Some(device), state);
        *at = ahead;
        Some(())
    }

    fn found(&self, id: Id, captures: &[(Capture, Option<&'a [u8]>)]) -> Match<'a> {
        let mut all = [(Capture::Level, None); 8];
        all[0].1 = self.level;
        all[1] = (Capture::State, self.state);
        for (place, capture) in all[2..].iter_mut().zip(captures) {
            *place = *capture;
        }
        Match::new(id, self.device).with(&all)
    }
}

/// ` error`, ` warning` and the like.
fn level<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut ahead = *at;
    ahead.text(b" ")?;
    let level = ahead.some(|byte| byte.is_ascii_lowercase()).filter(|word| word.len() <= LEVEL)?;
    *at = ahead;
    Some(level)
}
