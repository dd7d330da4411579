//! Lines that begin with any word and a colon: a function, a module, a file system, a device.

use super::cursor::{Cursor, is_device};
use super::found::{Capture, Match};
use super::ids::Id;
use super::xfs;

/// No word is longer.
const WORD: usize = 63;
/// Names of file systems and devices.
const NAME: usize = 31;

/// File systems whose words about mount options are heard.
const FILE_SYSTEMS: [&[u8]; 11] = [
    b"ext2", b"ext3", b"ext4", b"xfs", b"btrfs", b"f2fs", b"jfs", b"gfs2", b"nilfs2", b"ocfs2",
    b"hfsplus",
];

/// `word: …`.
pub fn find(line: &[u8]) -> Option<Match<'_>> {
    let (word, at) = split(line)?;
    match at.rest().first()? {
        b'0'..=b'9' => dropped(word, at),
        b'B' => bad_value(word, at),
        b'U' => unknown_option(word, at),
        b'u' => unknown_parameter(word, at),
        b'w' if is_name(word, is_device) => xfs::writeback(at, word),
        _ => None,
    }
}

/// That lines were dropped, and of which function.
pub fn find_dropped(line: &[u8]) -> Option<Match<'_>> {
    let (word, at) = split(line)?;
    dropped(word, at)
}

fn split(line: &[u8]) -> Option<(&[u8], Cursor<'_>)> {
    let reach = line.len().min(WORD + 1);
    let colon = line[..reach].iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], Cursor::after(&line[colon..], b": ")?))
}

/// lib/ratelimit.c: a function, or what a file system calls its errors ("EXT4-fs error").
fn dropped<'a>(word: &'a [u8], mut at: Cursor<'a>) -> Option<Match<'a>> {
    let count = at.digits()?;
    at.last(b" callbacks suppressed")?;
    let is_function = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b' ' | b'-');
    let captures = [(Capture::Function, Some(word)), (Capture::Count, Some(count))];
    let found = Match::new(Id::RatelimitSuppressed, None).with(&captures);
    all(word, is_function).then_some(found)
}

/// fs/fs_context.c and fs/fs_parser.c since 5.6.
fn bad_value<'a>(word: &'a [u8], mut at: Cursor<'a>) -> Option<Match<'a>> {
    at.text(b"Bad value for '")?;
    let option = at.before(b'\'')?;
    at.last(b"'")?;
    let captures = [(Capture::FileSystem, Some(word)), (Capture::Option, Some(option))];
    let found = Match::new(Id::FsparamBad, None).with(&captures);
    is_name(word, |byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(found)
}

fn unknown_option<'a>(word: &'a [u8], mut at: Cursor<'a>) -> Option<Match<'a>> {
    at.text(b"Unknown parameter '")?;
    let option = at.before(b'\'')?;
    at.last(b"'")?;
    let captures = [(Capture::FileSystem, Some(word)), (Capture::Option, Some(option))];
    let found = Match::new(Id::FsparamUnknown, None).with(&captures);
    FILE_SYSTEMS.contains(&word).then_some(found)
}

/// kernel/module.c.
fn unknown_parameter<'a>(word: &'a [u8], mut at: Cursor<'a>) -> Option<Match<'a>> {
    at.text(b"unknown parameter '")?;
    let option = at.before(b'\'')?;
    at.last(b"' ignored")?;
    let captures = [(Capture::Module, Some(word)), (Capture::Option, Some(option))];
    let found = Match::new(Id::ModuleUnknownParam, None).with(&captures);
    all(word, |byte| matches!(byte, b'a'..=b'z' | b'_' | b'0'..=b'9')).then_some(found)
}

fn is_name(word: &[u8], accepts: impl Fn(u8) -> bool) -> bool {
    word.len() <= NAME && all(word, accepts)
}

fn all(word: &[u8], accepts: impl Fn(u8) -> bool) -> bool {
    !word.is_empty() && word.iter().copied().all(accepts)
}
