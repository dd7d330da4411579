//! What syslog daemons and journalctl put before a text: date, host, and the name of the speaker.
//!
//! `Nov 20 10:00:00 host kernel: text` (RFC 3164 files, journalctl short), the same with
//! `2026-11-20T10:00:00+0000` (short-iso, rsyslog's own format), `1795168800.123456` (short-unix),
//! `Fri 2026-11-20 10:00:00 UTC` (short-full), `<4>1 2026-11-20T10:00:00Z host kernel - - - text`
//! (RFC 5424), and bare `kernel: text`.

use super::{Boot, Entry, Speaker, Time, bracket, wall};

/// The longest host or name that is taken for one.
const NAME_BYTES: usize = 64;

/// A line that begins with a date.
pub fn dated(line: &[u8]) -> Option<Entry<'_>> {
    let length = date_length(line)?;
    let (date, rest) = line.split_at_checked(length)?;
    let rest = rest.strip_prefix(b" ")?;
    if date.contains(&b',') {
        return iso_comma(line);
    }
    let mut entry = after_date(rest.trim_ascii_start());
    entry.time.wall = date;
    Some(entry)
}

/// `dmesg --time-format iso` has a comma, and neither host nor name.
pub fn iso_comma(line: &[u8]) -> Option<Entry<'_>> {
    let length = word(line).len();
    let date = line.get(..length).filter(|date| date.contains(&b','))?;
    wall::Wall::parse(date)?;
    let text = line.get(length + 1..)?;
    Some(Entry { text, time: Time { boot_us: None, wall: date }, ..Entry::default() })
}

/// `<4>` and then a dmesg time, a date, or version 1 of RFC 5424.
pub fn priority(line: &[u8]) -> Option<Entry<'_>> {
    let inside = line.strip_prefix(b"<")?;
    let end = inside.iter().take(5).position(|byte| *byte == b'>')?;
    let priority: u32 = core::str::from_utf8(&inside[..end]).ok()?.parse().ok()?;
    let rest = &inside[end + 1..];
    let entry = bracket::plain(rest)
        .or_else(|| rest.strip_prefix(b"1 ").and_then(rfc_5424))
        .or_else(|| dated(rest))
        .unwrap_or(Entry { text: rest, ..Entry::default() });
    // Facility 0 proves nothing: dmesg -r of util-linux before 2.39 prints it for every record.
    let is_kern = priority < 8;
    let speaker = if is_kern { entry.speaker } else { Speaker::Other(name_of(entry.speaker)) };
    Some(Entry { speaker, ..entry })
}

/// journalctl writes a line of its own between two boots: `-- Boot 0123… --`, `-- Reboot --`.
pub fn boot_line(line: &[u8]) -> Option<Entry<'_>> {
    let inside = line.strip_prefix(b"-- ")?.strip_suffix(b" --")?;
    let is_boot = inside == b"Reboot" || inside.starts_with(b"Boot ");
    is_boot.then(|| Entry { boot: Boot::New, ..Entry::default() })
}

/// Text without a date: perhaps a name (`kernel: text`, `sshd[12]: text`), perhaps only text.
pub fn bare(line: &[u8]) -> Option<Entry<'_>> {
    if line.is_empty() {
        return None;
    }
    let Some(said) = named(line) else {
        return Some(Entry { text: line, ..Entry::default() });
    };
    // Texts of the kernel begin with a word and a colon too (`blkfront: …`); what they never have
    // is a process number there, or the name of a daemon that we know.
    let is_name = said.name == b"kernel" || said.has_pid || DAEMONS.contains(&said.name);
    let entry = if is_name { spoken(&said) } else { Entry { text: line, ..Entry::default() } };
    Some(entry)
}

/// journalctl's short-monotonic puts host and name behind a time that looks like dmesg's.
pub fn monotonic(entry: Entry<'_>) -> Entry<'_> {
    if let Some(text) = entry.text.strip_prefix(b"kernel: ") {
        return Entry { text, speaker: Speaker::Tagged, ..entry };
    }
    let host = word(entry.text);
    let Some(behind) = entry.text.get(host.len() + 1..) else { return entry };
    let is_host = !host.is_empty() && host.len() <= NAME_BYTES;
    match named(behind).filter(|said| is_host && (said.has_pid || said.name == b"kernel")) {
        Some(said) => Entry { host, time: entry.time, ..spoken(&said) },
        None => entry,
    }
}

/// Whether the second word of a text may be `kernel:` or `name[12]:`, or the first the former.
pub fn has_host(text: &[u8]) -> bool {
    let speaks = |behind: &[u8]| {
        let end = memchr::memchr(b' ', behind).unwrap_or(behind.len());
        matches!(behind, [b'k', b'e', ..]) || matches!(behind[..end], [.., b']', b':'])
    };
    let space = text.iter().take(NAME_BYTES + 1).position(|byte| *byte == b' ');
    text.first_chunk() == Some(b"kernel: ") || space.is_some_and(|end| speaks(&text[end + 1..]))
}

/// The daemons of a storage host whose own lines are understood.
const DAEMONS: [&[u8]; 2] = [b"iscsid", b"multipathd"];

/// A name, and what it says.
struct Said<'a> {
    name: &'a [u8],
    has_pid: bool,
    text: &'a [u8],
}

/// `name: text` or `name[12]: text`
fn named(line: &[u8]) -> Option<Said<'_>> {
    let tag = word(line).strip_suffix(b":")?;
    let text = line.get(tag.len() + 2..)?;
    let opening = tag.iter().position(|byte| *byte == b'[');
    let name = &tag[..opening.unwrap_or(tag.len())];
    let is_name = !name.is_empty() && name.len() <= NAME_BYTES && !name.contains(&b':');
    let has_pid = match opening {
        Some(at) => tag[at + 1..].strip_suffix(b"]").is_some_and(is_pid),
        None => false,
    };
    (is_name && has_pid == opening.is_some()).then_some(Said { name, has_pid, text })
}

fn is_pid(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(u8::is_ascii_digit)
}

/// A process that calls itself kernel has a number that the kernel has not.
fn spoken<'a>(said: &Said<'a>) -> Entry<'a> {
    if said.name != b"kernel" || said.has_pid {
        // Some daemons repeat their name.
        let again = named(said.text).filter(|again| again.name == said.name);
        let text = again.map_or(said.text, |again| again.text);
        return Entry { text, speaker: Speaker::Other(said.name), ..Entry::default() };
    }
    let (boot_us, text) = bracket::strip_stamp(said.text);
    let time = Time { boot_us, wall: b"" };
    Entry { text, speaker: Speaker::Tagged, time, ..Entry::default() }
}

/// `host name: text`; journalctl --no-hostname leaves out the host.
fn after_date(rest: &[u8]) -> Entry<'_> {
    if let Some(said) = named(rest) {
        return spoken(&said);
    }
    let host = word(rest);
    let behind = rest.get(host.len() + 1..).unwrap_or(b"");
    match named(behind.trim_ascii_start()) {
        Some(said) if host.len() <= NAME_BYTES => Entry { host, ..spoken(&said) },
        // A line of the daemon itself ("last message repeated 3 times"), or no syslog at all.
        _ => Entry { text: rest, speaker: Speaker::Other(b""), ..Entry::default() },
    }
}

/// Behind `<4>1 `: time, host, name, process, message id, structured data, text (RFC 5424).
fn rfc_5424(line: &[u8]) -> Option<Entry<'_>> {
    let mut fields = [&b""[..]; 5];
    let mut rest = line;
    for field in &mut fields {
        *field = word(rest);
        rest = rest.get(field.len() + 1..)?;
    }
    let [date, host, name, process, _id] = fields;
    let rest = behind_structured_data(rest)?;
    let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
    let mut entry = spoken(&Said { name, has_pid: is_pid(process), text: rest });
    entry.host = if host == b"-" || host.len() > NAME_BYTES { b"" } else { host };
    entry.time.wall = date;
    Some(entry)
}

/// `-` or `[id name="value"][…]`, in which `\` escapes; then a space and the text.
fn behind_structured_data(rest: &[u8]) -> Option<&[u8]> {
    if let Some(text) = rest.strip_prefix(b"-") {
        return Some(text.strip_prefix(b" ").unwrap_or(text));
    }
    let mut at = 0;
    while rest.get(at) == Some(&b'[') {
        let mut quoted = false;
        loop {
            match rest.get(at)? {
                b'\\' => at += 1,
                b'"' => quoted = !quoted,
                b']' if !quoted => break,
                _ => {}
            }
            at += 1;
        }
        at += 1;
    }
    (at > 0).then(|| rest[at..].strip_prefix(b" "))?
}

/// How long the date at the start of a line is; none where there is none.
fn date_length(line: &[u8]) -> Option<usize> {
    let length = match line.first()? {
        b'0'..=b'9' => {
            let first = word(line).len();
            // `2026-11-20 10:00:00` has a space inside.
            if first == 10 && line[4] == b'-' { 11 + word(line.get(11..)?).len() } else { first }
        }
        _ if line.get(3) != Some(&b' ') => return None,
        _ if wall::month(&line[..3]).is_some() => 7 + word(line.get(7..)?).len(),
        // `Fri 2026-11-20 10:00:00 UTC`
        _ if line.get(4)?.is_ascii_digit() => {
            let clock = 4 + word(&line[4..]).len() + 1;
            let zone = clock + word(line.get(clock..)?).len() + 1;
            zone + word(line.get(zone..)?).len()
        }
        _ => return None,
    };
    wall::Wall::parse(line.get(..length)?).map(|_| length)
}

/// Up to the first space.
fn word(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == b' ').unwrap_or(bytes.len());
    &bytes[..end]
}

fn name_of(speaker: Speaker<'_>) -> &[u8] {
    match speaker {
        Speaker::Other(name) => name,
        _ => b"",
    }
}
