//! Lines of every kind, read by findmnt (util-linux's libmount) and by us.

use std::fs;
use std::process::Command;

use harness::random::Random;
use harness::requires;
use harness::scratch::Scratch;
use xvdguard_logic::fstab::{Entry, Fstab};
use xvdguard_logic::text::Text;

const PIECES: [&str; 32] = [
    "UUID=0a",
    "/dev/xvda1",
    "LABEL=a\\040b",
    "/",
    "/srv",
    "ext3",
    "none",
    "swap",
    " ",
    " ",
    " ",
    "\t",
    "  ",
    "defaults",
    "noatime",
    ",",
    "context=\"a,b\"",
    "\"",
    "0",
    "1",
    "-2",
    "+3",
    "#",
    "\\",
    "\\075",
    "\\777",
    "\\000",
    "\\08",
    "\r",
    "ü",
    "\u{7f}",
    "99999999999",
];
const FIELDS: [&str; 4] = ["/dev/xvda1 / ext4 ro", "a\tb  c ", "  LABEL=x /\\040 ext3\t\t", ""];
const ENDS: [&str; 5] = ["\n", "\n", "\r\n", " 0 0\n", " 1 2 x\n"];
const LINES: usize = 2000;

/// libmount takes a file whose first line begins with two numbers for mountinfo (libmount's
/// tab_parse.c, guess_table_format): the first line is one of fstab.
fn content(random: &mut Random) -> String {
    let mut content = String::from("/dev/xvda1 / ext4 ro 0 1\n");
    for _ in 1..LINES {
        content.push_str(random.choose(&FIELDS).unwrap());
        (0..random.below(5)).for_each(|_| content.push_str(random.choose(&PIECES).unwrap()));
        content.push_str(random.choose(&ENDS).unwrap());
    }
    content
}

/// As findmnt prints pairs: what a shell would obey, and what is not printed, as `\xNN`.
fn quoted(text: &Text) -> String {
    let escape = |byte: &u8| match byte {
        b'"' | b'\\' | b'`' | b'$' => format!("\\x{byte:02x}"),
        b' '..=b'~' => char::from(*byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    text.as_bytes().iter().map(escape).collect()
}

/// The decoded option field up to a NUL, as libmount keeps it.
fn options(entry: &Entry) -> Text {
    let whole = xvdguard_logic::mountinfo::unescape(entry.options.raw().as_bytes());
    let end = whole.as_bytes().iter().position(|byte| *byte == 0);
    Text::from(&whole.as_bytes()[..end.unwrap_or(whole.as_bytes().len())])
}

fn shown(entry: &Entry) -> String {
    format!(
        "SOURCE=\"{}\" TARGET=\"{}\" FSTYPE=\"{}\" OPTIONS=\"{}\" FREQ=\"{}\" PASSNO=\"{}\"",
        quoted(&entry.source),
        quoted(&entry.mount_point),
        quoted(&entry.fstype),
        quoted(&options(entry)),
        entry.frequency,
        entry.pass
    )
}

/// Of "findmnt: FILE: parse error at line N -- ignored".
fn line_number(said: &str) -> Option<usize> {
    said.split("parse error at line ").nth(1)?.split(' ').next()?.parse().ok()
}

#[test]
fn random_lines_are_read_as_findmnt_reads_them() {
    let Some(findmnt) = requires::program("findmnt") else { return };
    let mut random = Random::from_environment();
    let content = content(&mut random);
    let folder = Scratch::new("findmnt").unwrap();
    let file = folder.path().join("fstab");
    fs::write(&file, &content).unwrap();
    let ran = Command::new(findmnt)
        .env("LC_ALL", "C")
        .args(["-P", "-o", "SOURCE,TARGET,FSTYPE,OPTIONS,FREQ,PASSNO", "--tab-file"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    let skipped: Vec<usize> = said.lines().filter_map(line_number).collect();
    let fstab = Fstab::parse(content.as_bytes());
    let broken: Vec<usize> = fstab.broken_lines().map(|line| line.line).collect();
    let apart = (1..=LINES).find(|line| skipped.contains(line) != broken.contains(line));
    assert_eq!(apart.map(|line| fstab.text(line)), None);
    let out = String::from_utf8(ran.stdout).unwrap();
    let entries: Vec<String> = fstab.entries().map(shown).collect();
    assert!(entries.len() > LINES / 4, "{} entries", entries.len());
    for (ours, theirs) in entries.iter().zip(out.lines()) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(entries.len(), out.lines().count());
}
