//! What tickets, mails and terminals put around a line: quotes, bullets, table bars, back ticks,
//! HTML, colours.
//!
//! Takes layers off; never takes off what could belong to a kernel's text.

use alloc::vec::Vec;

/// One layer off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer<'a> {
    /// What was under it.
    pub rest: &'a [u8],
    /// What the layer named (`guest1| `); else empty.
    pub label: &'a [u8],
}

const ESCAPE: u8 = 0x1b;
const LABEL_BYTES: usize = 32;
const ENTITIES: [(&[u8], &[u8]); 12] = [
    (b"&gt;", b">"),
    (b"&lt;", b"<"),
    (b"&quot;", b"\""),
    (b"&apos;", b"'"),
    (b"&#39;", b"'"),
    (b"&#x27;", b"'"),
    (b"&#34;", b"\""),
    (b"&#91;", b"["),
    (b"&#93;", b"]"),
    (b"&nbsp;", b" "),
    (b"&#160;", b" "),
    (b"&amp;", b"&"),
];

/// Whether a line holds what `clean` takes out, or a carriage return.
pub fn is_dirty(line: &[u8]) -> bool {
    memchr::memchr3(ESCAPE, b'&', b'\r', line).is_some()
}

/// The line without terminal sequences and with HTML's entities read.
pub fn clean(line: &[u8], into: &mut Vec<u8>) {
    into.clear();
    let mut rest = line;
    while let Some(at) = memchr::memchr2(ESCAPE, b'&', rest) {
        into.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        if rest[0] == ESCAPE {
            rest = behind_sequence(rest);
            continue;
        }
        let entity = ENTITIES.iter().find(|(written, _)| rest.starts_with(written));
        let (written, meant) = entity.copied().unwrap_or((b"&", b"&"));
        into.extend_from_slice(meant);
        rest = &rest[written.len()..];
    }
    into.extend_from_slice(rest);
}

/// Behind a sequence of ECMA-48: `ESC [ … letter`, `ESC ] … BEL`, `ESC` and one byte.
fn behind_sequence(bytes: &[u8]) -> &[u8] {
    let (end, inside) = match bytes.get(1) {
        Some(b'[') => (bytes[2..].iter().position(|byte| (0x40..=0x7e).contains(byte)), 2),
        Some(b']') => (bytes[2..].iter().position(|byte| *byte == 7), 2),
        _ => (Some(0), 1),
    };
    // A sequence that does not end within the line is only its first two bytes.
    let length = end.map_or(2, |end| inside + end + 1);
    bytes.get(length..).unwrap_or(b"")
}

/// Takes the outermost layer off a line that begins with no space.
pub fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let first = *line.first()?;
    let plain = |rest| Some(<[u8]>::trim_ascii_start(rest));
    let rest = match first {
        b'>' | b'|' | b'`' | b'"' | b'\'' => plain(&line[1..]),
        b'-' | b'*' | b'+' if line.get(1) == Some(&b' ') => plain(&line[2..]),
        b'<' => behind_tag(line),
        // A bullet or an angle quotation mark in UTF-8.
        0xe2 if line.starts_with("•".as_bytes()) => plain(&line[3..]),
        b'0'..=b'9' => behind_number(line),
        byte if byte.is_ascii_alphabetic() => return labelled(line),
        // Garbage of a serial line: what is no ASCII, and control characters.
        byte if !(0x20..0x7f).contains(&byte) => plain(&line[1..]),
        _ => None,
    }?;
    Some(Layer { rest, label: b"" })
}

/// Without what closes a quotation: back ticks, table bars, closing tags.
pub fn trim_end(line: &[u8]) -> &[u8] {
    let mut line = line.trim_ascii_end();
    loop {
        let closing =
            [&b"`"[..], b"|", b"<br>", b"<br/>", b"</code>", b"</pre>", b"</p>", b"</li>"];
        let Some(shorter) = closing.iter().find_map(|closing| line.strip_suffix(*closing)) else {
            return line;
        };
        line = shorter.trim_ascii_end();
    }
}

/// `<pre>`, `<code class="x">`; not `<6>`, which is a priority.
fn behind_tag(line: &[u8]) -> Option<&[u8]> {
    let name = line.get(1)?;
    if !(name.is_ascii_alphabetic() || *name == b'/') {
        return None;
    }
    let end = line.iter().take(LABEL_BYTES * 2).position(|byte| *byte == b'>')?;
    Some(line[end + 1..].trim_ascii_start())
}

/// `12: `, `12) ` or `12. `, as lists and grep -n write it.
fn behind_number(line: &[u8]) -> Option<&[u8]> {
    let digits = line.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = line.get(digits + 1..)?;
    let separator = line[digits];
    // grep -n puts no space there.
    let separates = separator == b':' || (b".)".contains(&separator) && rest.starts_with(b" "));
    separates.then(|| rest.trim_ascii_start())
}

/// `guest1| text`, as those write it who print several consoles into one file.
fn labelled(line: &[u8]) -> Option<Layer<'_>> {
    let bar = line.iter().take(LABEL_BYTES).position(|byte| *byte == b'|')?;
    let label = line[..bar].trim_ascii_end();
    let is_label = label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(byte));
    let rest = line[bar + 1..].strip_prefix(b" ").filter(|_| is_label)?;
    Some(Layer { rest: rest.trim_ascii_start(), label })
}
