//! xen-blkfront, in every form it ever had (2.6.18 to 7.2), and what xenbus says of a vbd.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

const OPERATIONS: [&[u8]; 3] = [b"barrier or flush", b"barrier", b"flush diskcache"];

/// What is said of flushes and barriers, and that all disks are about to reconnect.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    let Some(at) = Cursor::after(line, b"blkfront: ") else {
        return (line == b"suspending xenstore...").then(|| Match::new(Id::XenSuspending, None));
    };
    swapped(at).or_else(|| of_disk(at))
}

/// About 2.6.37 to 3.4 the arguments were swapped: "barrier: write xvda op failed".
fn swapped(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let operation = at.one_of(&[b"barrier", b"flush disk cache"])?;
    at.text(b": ")?;
    let empty = at.maybe(b"empty ");
    at.text(b"write ")?;
    let device = at.device()?;
    at.last(b" op failed")?;
    let id = if empty { Id::BlkfrontEmptyFailSwapped } else { Id::BlkfrontBarrierFailSwapped };
    Some(Match::new(id, Some(device)).with(&[(Capture::Operation, Some(operation))]))
}

fn of_disk(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let device = Some(at.device()?);
    at.text(b": ")?;
    match at.rest() {
        b"write barrier op failed" => Some(Match::new(Id::BlkfrontBarrierFail26, device)),
        b"discard op failed" => Some(Match::new(Id::BlkfrontDiscardFail, device)),
        _ => failed(at, device).or_else(|| barriers(at, device)).or_else(|| state(at, device)),
    }
}

fn failed<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    let empty = at.one_of(&[b"empty "]);
    let operation = at.one_of(&[b"barrier", b"flush"])?;
    at.last(b" op failed")?;
    let captures = [(Capture::Empty, empty), (Capture::Operation, Some(operation))];
    Some(Match::new(Id::BlkfrontOpFail, device).with(&captures))
}

/// "barriers enabled (drain)": 2.6.
fn barriers<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    at.text(b"barriers ")?;
    let state = enabled(&mut at)?;
    let mode = match at.rest() {
        b"" => None,
        b" (drain)" | b" (tag)" => at.rest().get(2..at.rest().len() - 1),
        _ => return None,
    };
    let captures = [(Capture::State, Some(state)), (Capture::Mode, mode)];
    Some(Match::new(Id::BlkfrontBarriersState26, device).with(&captures))
}

/// "barrier or flush: disabled", since 3.11 with more behind it.
fn state<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    let operation = at.one_of(&OPERATIONS)?;
    at.text(b": ")?;
    let state = enabled(&mut at)?;
    let captures = [(Capture::Operation, Some(operation)), (Capture::State, Some(state))];
    if at.maybe(b";") {
        return Some(features(at, device, captures));
    }
    let known = matches!(at.rest(), b"" | b" " | b" using persistent grants");
    known.then(|| Match::new(Id::BlkfrontFlushState3x, device).with(&captures))
}

fn features<'a>(
    mut at: Cursor<'a>,
    device: Option<&'a [u8]>,
    [operation, state]: [(Capture, Option<&'a [u8]>); 2],
) -> Match<'a> {
    let grants = feature(&mut at, b" persistent grants: ", true);
    let indirect = feature(&mut at, b" indirect descriptors: ", false);
    let bounce = feature(&mut at, b" bounce buffer: ", false);
    Match::new(Id::BlkfrontFlushState311, device).with(&[
        operation,
        state,
        (Capture::PersistentGrants, grants),
        (Capture::IndirectDescriptors, indirect),
        (Capture::BounceBuffer, bounce),
    ])
}

/// One more feature; the last one of a line has no semicolon behind it.
fn feature<'a>(at: &mut Cursor<'a>, name: &[u8], needs_semicolon: bool) -> Option<&'a [u8]> {
    let mut ahead = *at;
    ahead.one_of(&[name])?;
    let state = enabled(&mut ahead)?;
    (ahead.maybe(b";") || !needs_semicolon).then(|| {
        *at = ahead;
        state
    })
}

fn enabled<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    at.one_of(&[b"enabled", b"disabled"])
}

/// What xenbus and the driver say of a vbd, by its number.
pub fn find_of_vbd(line: &[u8]) -> Option<Match<'_>> {
    let at = Cursor::new(line);
    hot_unplugged(at).or_else(|| in_use(at)).or_else(|| capacity(at))
}

fn hot_unplugged(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let (device, vbd) = if at.maybe(b"block ") {
        let device = at.device()?;
        at.text(b": device/vbd/")?;
        (device, at.digits()?)
    } else {
        let vbd = vbd(&mut at)?;
        (at.device()?, vbd)
    };
    at.text(b" was hot-unplugged, ")?;
    let count = at.digits()?;
    at.last(b" stale handles")?;
    let captures = [(Capture::Vbd, Some(vbd)), (Capture::Count, Some(count))];
    Some(Match::new(Id::BlkfrontHotunplug, Some(device)).with(&captures))
}

fn in_use(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let vbd = vbd(&mut at)?;
    let errno = at.digits()?;
    at.last(b" Device in use; refusing to close")?;
    let captures = [(Capture::Vbd, Some(vbd)), (Capture::Errno, Some(errno))];
    Some(Match::new(Id::XenbusRefuseClose, None).with(&captures))
}

fn capacity(mut at: Cursor<'_>) -> Option<Match<'_>> {
    let vbd = vbd(&mut at);
    at.text(b"Setting capacity to ")?;
    let count = at.digits()?;
    at.end()?;
    let captures = [(Capture::Vbd, vbd), (Capture::Count, Some(count))];
    Some(Match::new(Id::BlkfrontCapacity, None).with(&captures))
}

/// `vbd vbd-51712: `: driver and device (`dev_driver_string` and `dev_name` of the kernel).
fn vbd<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let mut ahead = *at;
    ahead.one_of(&[b"vbd vbd-", b"xen-blkfront vbd-"])?;
    let vbd = ahead.digits()?;
    ahead.text(b": ")?;
    *at = ahead;
    Some(vbd)
}
