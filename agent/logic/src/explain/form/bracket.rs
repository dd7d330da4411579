//! What dmesg(1) and consoles print: a time in brackets, then the text.
//!
//! `[   12.345678] text`, `[Fri Nov 20 10:00:00 2026] text` (-T), `[   12.345678 <    0.000123>]`
//! (-d), `[  +0.000123]` and `[Nov20 10:00]` (-e), each behind `kern  :warn  : ` (-x), and with the
//! caller that CONFIG_PRINTK_CALLER adds. journalctl's short-monotonic looks the same and has host
//! and name behind the time.

use super::{Entry, Speaker, Time, header, wall};

/// Digits that the kernel prints behind the dot (print_time in kernel/printk/printk.c).
const FRACTION: usize = 6;

/// Digits before it that are still a time: more than any uptime, and no overflow.
const SECONDS: usize = 12;

/// `[   12.345678] text` and nothing else that could stand there: microseconds and text. None for
/// every line that needs a closer look.
pub fn simplest(line: &[u8]) -> Option<(u64, &[u8])> {
    let boot_us = usual(line)?;
    let [b' ', text @ ..] = &line[14..] else { return None };
    let text = text.trim_ascii_end();
    // A caller, or the host of journalctl.
    let is_simple = text.first() != Some(&b'[') && !header::has_host(text);
    is_simple.then_some((boot_us, text))
}

/// `[   12.345678] text`, or short-monotonic's `[   12.345678] host kernel: text`
pub fn plain(line: &[u8]) -> Option<Entry<'_>> {
    stamped(line).map(header::monotonic)
}

fn stamped(line: &[u8]) -> Option<Entry<'_>> {
    let (boot_us, rest) = match usual(line) {
        Some(boot_us) => (boot_us, &line[13..]),
        None => seconds(line.get(1..)?)?,
    };
    let rest = match rest.split_first()? {
        (b']', rest) => rest,
        (b' ', delta) => delta.strip_prefix(b"<").and_then(after_delta)?,
        _ => return None,
    };
    let rest = without_caller(rest);
    let text = rest.strip_prefix(b" ").unwrap_or(rest);
    let time = Time { boot_us: Some(boot_us), wall: b"" };
    Some(Entry { text, time, ..Entry::default() })
}

/// `[Fri Nov 20 10:00:00 2026] text`, `[Nov20 10:00] text`, `[  +0.000123] text`
pub fn dated(line: &[u8]) -> Option<Entry<'_>> {
    let inside = line.strip_prefix(b"[")?;
    let end = inside.iter().take(40).position(|byte| *byte == b']')?;
    let (stamp, rest) = (&inside[..end], &inside[end + 1..]);
    let is_offset = stamp.trim_ascii().strip_prefix(b"+").is_some_and(is_number);
    let is_short = stamp.len() == 11 && wall::month(&stamp[..3]).is_some() && stamp[8] == b':';
    if !is_offset && !is_short && wall::Wall::parse(stamp).is_none() {
        return None;
    }
    let rest = without_caller(rest);
    let text = rest.strip_prefix(b" ").unwrap_or(rest);
    let time = Time { boot_us: None, wall: if is_offset || is_short { b"" } else { stamp } };
    Some(Entry { text, time, ..Entry::default() })
}

/// `kern  :warn  : [   12.345678] text`
pub fn with_facility(line: &[u8]) -> Option<Entry<'_>> {
    let (facility, rest) = word_before_colon(line)?;
    let (_level, rest) = word_before_colon(rest)?;
    let rest = rest.strip_prefix(b" ")?;
    let entry = stamped(rest).or_else(|| dated(rest)).or_else(|| header::iso_comma(rest))?;
    let speaker = if facility == b"kern" { Speaker::Kernel } else { Speaker::Other(b"") };
    Some(Entry { speaker, ..entry })
}

/// A time inside a line that has no head: a console whose last line was not complete, garbage of a
/// serial line. What follows it is what the kernel printed.
pub fn inside(line: &[u8]) -> Option<Entry<'_>> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'[', &line[from..]) {
        if let Some(entry) = plain(&line[from + at..]) {
            return Some(entry);
        }
        from += at + 1;
    }
    None
}

/// Strips the kernel's own time off a text that another form has carried.
pub fn strip_stamp(text: &[u8]) -> (Option<u64>, &[u8]) {
    let stamped = text.strip_prefix(b"[").and_then(seconds);
    match stamped {
        Some((boot_us, rest)) if rest.starts_with(b"]") => {
            let rest = without_caller(&rest[1..]);
            (Some(boot_us), rest.strip_prefix(b" ").unwrap_or(rest))
        }
        _ => (None, text),
    }
}

/// `[   12.345678]` as the kernel pads it (`[%5lu.%06lu]`): nearly all lines of nearly all logs.
fn usual(line: &[u8]) -> Option<u64> {
    let stamp: &[u8; 14] = line.first_chunk()?;
    if stamp[6] != b'.' || stamp[13] != b']' {
        return None;
    }
    let mut number: u64 = 0;
    let mut all_digits = true;
    let mut only_spaces = true;
    for byte in &stamp[1..6] {
        let digit = byte.wrapping_sub(b'0');
        only_spaces &= *byte == b' ';
        all_digits &= digit < 10 || only_spaces;
        number = number * 10 + u64::from(if only_spaces { 0 } else { digit });
    }
    for byte in &stamp[7..13] {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit < 10;
        number = number * 10 + u64::from(digit);
    }
    (all_digits && !only_spaces).then_some(number)
}

/// `   12.345678`, in microseconds, and what follows.
fn seconds(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut at = 0;
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    let begin = at;
    let mut number: u64 = 0;
    while let Some(byte) = bytes.get(at).filter(|byte| byte.is_ascii_digit()) {
        number = number * 10 + u64::from(byte - b'0');
        at += 1;
        if at - begin > SECONDS {
            return None;
        }
    }
    if at == begin || bytes.get(at) != Some(&b'.') {
        return None;
    }
    let fraction = bytes.get(at + 1..at + 1 + FRACTION)?;
    for byte in fraction {
        if !byte.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u64::from(byte - b'0');
    }
    Some((number, &bytes[at + 1 + FRACTION..]))
}

/// Behind `<    0.000123>]`.
fn after_delta(delta: &[u8]) -> Option<&[u8]> {
    let (_, rest) = seconds(delta)?;
    rest.strip_prefix(b">]")
}

/// Without `[    T1]` or `[   C0]`, which CONFIG_PRINTK_CALLER adds.
fn without_caller(rest: &[u8]) -> &[u8] {
    let Some(caller) = rest.strip_prefix(b" [").or_else(|| rest.strip_prefix(b"[")) else {
        return rest;
    };
    let Some(end) = caller.iter().take(16).position(|byte| *byte == b']') else { return rest };
    let is_caller = match caller[..end].trim_ascii_start() {
        [b'T' | b'C', number @ ..] => is_number(number),
        _ => false,
    };
    if is_caller { &caller[end + 1..] } else { rest }
}

/// `kern  :`, as dmesg pads it: the word without the spaces, and what follows the colon.
fn word_before_colon(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().take(9).position(|byte| *byte == b':')?;
    let word = line[..colon].trim_ascii_end();
    let is_word = !word.is_empty() && word.iter().all(|byte| byte.is_ascii_alphanumeric());
    is_word.then(|| (word, &line[colon + 1..]))
}

/// Digits, perhaps with one dot among them.
fn is_number(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}
