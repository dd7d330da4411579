//! The block layer and the buffers above it: requests that failed, pages that were not written.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// What failed, as blk_errors (block/blk-core.c) and its forerunners call it.
const KINDS: [&[u8]; 17] = [
    b"I/O",
    b"operation not supported",
    b"timeout",
    b"critical space allocation",
    b"recoverable transport",
    b"critical target",
    b"critical nexus",
    b"reservation conflict",
    b"critical medium",
    b"protection",
    b"kernel resource",
    b"device resource",
    b"nonblocking retry",
    b"device offline",
    b"invalid",
    b"zone resource",
    b"duration limit exceeded",
];

/// Those of 2.6.39 to 3.17 beside "I/O".
const OLD_KINDS: [&[u8]; 6] = [
    b"recoverable transport",
    b"critical target",
    b"critical nexus",
    b"critical space allocation",
    b"critical medium",
    b"timeout",
];

/// Since 5.16 without the name of a function: "I/O error, dev xvda, sector 0 op 0x1:(WRITE) …".
pub fn find_request(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::new(line);
    let kind = at.one_of(&KINDS)?;
    at.text(b" error")?;
    let request = Request::behind(&mut at, kind)?;
    request.with_operation(at, Id::BlkIoErrorOp)
}

/// Up to 3.17.
pub fn find_end_request(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"end_request: ")?;
    let (kind, id) = match at.one_of(&[b"I/O"]) {
        Some(kind) => (kind, Id::BlkEndRequest),
        None => (at.one_of(&OLD_KINDS)?, Id::BlkEndRequestTyped),
    };
    at.text(b" error")?;
    let request = Request::behind(&mut at, kind)?;
    at.end()?;
    Some(request.found(id))
}

/// 3.18 to 4.13, and 5.2 to 5.15 with the operation.
pub fn find_update_request(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"blk_update_request: ")?;
    let kind = any_kind(&mut at)?;
    let request = Request::behind(&mut at, kind)?;
    match at.end() {
        Some(()) => Some(request.found(Id::BlkUpdateRequest)),
        None => request.with_operation(at, Id::BlkUpdateRequestOp),
    }
}

/// 4.14 to 5.1.
pub fn find_print_req_error(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"print_req_error: ")?;
    let kind = any_kind(&mut at)?;
    let request = Request::behind(&mut at, kind)?;
    let flags = if at.maybe(b" flags ") { Some(at.some(super::cursor::is_hex)?) } else { None };
    at.end()?;
    let captures = [request.kind(), request.sector(), (Capture::Flags, flags)];
    Some(Match::new(Id::PrintReqError, Some(request.device)).with(&captures))
}

/// Letters up to " error", which stays behind.
fn any_kind<'a>(at: &mut Cursor<'a>) -> Option<&'a [u8]> {
    let words = at.some(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b' '))?;
    words.strip_suffix(b" error").filter(|kind| !kind.is_empty())
}

/// What every form says of the request.
struct Request<'a> {
    kind: &'a [u8],
    device: &'a [u8],
    sector: &'a [u8],
}

impl<'a> Request<'a> {
    fn behind(at: &mut Cursor<'a>, kind: &'a [u8]) -> Option<Self> {
        at.text(b", dev ")?;
        let device = at.device()?;
        at.text(b", sector ")?;
        Some(Request { kind, device, sector: at.digits()? })
    }

    fn kind(&self) -> (Capture, Option<&'a [u8]>) {
        (Capture::Kind, Some(self.kind))
    }

    fn sector(&self) -> (Capture, Option<&'a [u8]>) {
        (Capture::Sector, Some(self.sector))
    }

    fn found(&self, id: Id) -> Match<'a> {
        Match::new(id, Some(self.device)).with(&[self.kind(), self.sector()])
    }

    fn with_operation(&self, mut at: Cursor<'a>, id: Id) -> Option<Match<'a>> {
        at.text(b" op ")?;
        let operation = at.hexadecimal()?;
        at.text(b":(")?;
        let name = at.some(|byte| matches!(byte, b'A'..=b'Z' | b'_' | b'0'..=b'9'))?;
        at.text(b") flags ")?;
        let flags = at.hexadecimal()?;
        at.text(b" phys_seg ")?;
        let segments = at.digits()?;
        at.text(b" prio class ")?;
        let priority = at.digits()?;
        at.end()?;
        let captures = [
            self.kind(),
            self.sector(),
            (Capture::Operation, Some(operation)),
            (Capture::OperationName, Some(name)),
            (Capture::Flags, Some(flags)),
            (Capture::Segments, Some(segments)),
            (Capture::Priority, Some(priority)),
        ];
        Some(Match::new(id, Some(self.device)).with(&captures))
    }
}

/// fs/buffer.c.
pub fn find_buffer(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"Buffer I/O error on dev")?;
    let id = if at.maybe(b"ice ") { Id::BufferIoOld } else { Id::BufferIoNew };
    if id == Id::BufferIoNew {
        at.text(b" ")?;
    }
    let device = at.device()?;
    at.text(b", logical block ")?;
    let block = at.digits()?;
    let what = if id == Id::BufferIoNew && at.maybe(b", ") {
        let lost: [&[u8]; 3] =
            [b"lost sync page write", b"lost async page write", b"async page read"];
        Some(at.one_of(&lost)?)
    } else {
        None
    };
    at.end()?;
    let captures = [(Capture::Block, Some(block)), (Capture::What, what)];
    Some(Match::new(id, Some(device)).with(&captures))
}

/// fs/buffer.c up to 3.16, which names a partition; btrfs, which names a path, is asked before.
pub fn find_lost_page(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"lost page write due to I/O error on ")?;
    let device = at.device()?;
    at.end()?;
    Some(Match::new(Id::LostPageWriteOld, Some(device)))
}

/// mm/page_io.c, which names a number.
pub fn find_swap(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::new(line);
    let what = at.one_of(&[b"Write", b"Read"])?;
    at.text(b"-error on swap-device")?;
    let what = (Capture::What, Some(what));
    let found = Match::new(Id::SwapWriteErr, None);
    if at.end().is_some() {
        return Some(found.with(&[what]));
    }
    at.text(b" (")?;
    let major = at.digits()?;
    at.text(b":")?;
    let minor = at.digits()?;
    at.text(b":")?;
    let offset = at.digits()?;
    at.last(b")")?;
    let captures = [
        what,
        (Capture::Major, Some(major)),
        (Capture::Minor, Some(minor)),
        (Capture::Offset, Some(offset)),
    ];
    Some(found.with(&captures))
}
