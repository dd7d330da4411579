//! The ext3 driver, whose messages changed their form with 2.6.35; it is gone since 4.3.

use super::cursor::Cursor;
use super::found::{Capture, Match};
use super::ids::Id;

/// What 2.6 says without naming a device.
pub fn find_nameless(line: &[u8]) -> Option<Match<'_>> {
    match line {
        b"ext3_abort called." => Some(Match::new(Id::Ext3AbortCalled, None)),
        b"Remounting filesystem read-only" => Some(Match::new(Id::Ext3RemountRo26, None)),
        _ => None,
    }
}

/// `EXT3-fs …`.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    let mut at = Cursor::after(line, b"EXT3-fs")?;
    if at.maybe(b" (") {
        let device = at.device()?;
        at.text(b"): ")?;
        let mut after = at;
        let found = after.maybe(b"error").then(|| named_error(after, device)).flatten();
        return found.or_else(|| message(at, Some(device)));
    }
    match at.one_of(&[b" error (device ", b" abort (device "]) {
        Some(kind) => {
            let device = at.device()?;
            at.text(b")")?;
            device_error(at, device, kind == b" error (device ")
        }
        None => {
            at.text(b": ")?;
            message(at, None)
        }
    }
}

/// Since 2.6.35: behind `EXT3-fs (xvda2): error`.
fn named_error<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    if at.maybe(b" in ") {
        return standard(at, device);
    }
    at.text(b": ")?;
    if at.rest() == b"remounting filesystem read-only" {
        return Some(Match::new(Id::Ext3RemountRo3, Some(device)));
    }
    abort(at, device, Id::Ext3DetectedAbort3)
}

/// Up to 2.6.34, and errors of files ever since: behind `EXT3-fs error (device xvda2)`.
fn device_error<'a>(mut at: Cursor<'a>, device: &'a [u8], is_error: bool) -> Option<Match<'a>> {
    if is_error && at.maybe(b" in ") {
        return standard(at, device);
    }
    at.text(b": ")?;
    let aborted = abort(at, device, Id::Ext3DetectedAbort26);
    aborted.or_else(|| is_error.then(|| error(at, device)).flatten())
}

fn abort<'a>(mut at: Cursor<'a>, device: &'a [u8], id: Id) -> Option<Match<'a>> {
    let function = at.identifier()?;
    match at.rest() {
        b": Detected aborted journal" => {
            let captures = [(Capture::Function, Some(function))];
            Some(Match::new(id, Some(device)).with(&captures))
        }
        b": Abort forced by user" if function == b"ext3_remount" => {
            Some(Match::new(Id::Ext3AbortUser, Some(device)))
        }
        _ => None,
    }
}

fn error<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let function = at.identifier()?;
    at.text(b": ")?;
    let captures = [(Capture::Function, Some(function)), (Capture::Message, Some(at.rest()))];
    Some(Match::new(Id::Ext3Error, Some(device)).with(&captures))
}

/// __ext3_std_error: behind `in `.
fn standard<'a>(mut at: Cursor<'a>, device: &'a [u8]) -> Option<Match<'a>> {
    let function = at.identifier()?;
    at.text(b": ")?;
    let message = at.rest();
    let known = matches!(
        message,
        b"IO failure" | b"Out of memory" | b"Journal has aborted" | b"Readonly filesystem"
    );
    if !known {
        at.text(b"error ")?;
        at.number()?;
        at.end()?;
    }
    let captures = [(Capture::Function, Some(function)), (Capture::Message, Some(message))];
    Some(Match::new(Id::Ext3StdError, Some(device)).with(&captures))
}

fn message<'a>(mut at: Cursor<'a>, device: Option<&'a [u8]>) -> Option<Match<'a>> {
    if at.rest() == b"barriers not enabled" {
        return Some(Match::new(Id::Ext3NoBarrier, device));
    }
    at.maybe(b"error: ");
    at.one_of(&[b"Unrecognized mount option \"", b"unrecognized mount option \""])?;
    let option = at.before(b'"')?;
    at.last(b"\" or missing value")?;
    Some(Match::new(Id::Ext3BadOpt, device).with(&[(Capture::Option, Some(option))]))
}
