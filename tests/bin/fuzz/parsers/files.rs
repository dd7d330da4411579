//! Files: mountinfo, the frozen policy, the kernel command line, our own reports.

use xvdguard_logic::command_line::KernelWords;
use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::mountinfo;
use xvdguard_logic::policy::{Policy, duration, frozen};
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::report::Report;

use super::{Parser, must, parser};

const MOUNTINFO: [&[u8]; 2] = [
    b"20 1 202:1 / / rw,relatime shared:1 - ext4 /dev/xvda1 rw,errors=remount-ro\n21 20 0:20 / \
      /proc rw - proc proc rw\n22 20 253:1 / /srv/with\\040space rw - ext4 /dev/mapper/l rw\n",
    b"23 20 253:0 / /srv/new\\012line rw master:1 propagate_from:2 - xfs  rw,emergency_ro\n",
];

/// mountinfo: every line is a mount or is counted as broken.
pub fn mountinfo() -> Parser {
    parser("mountinfo", &MOUNTINFO, &[b" - ", b"shared:1 ", b"202:1"], |bytes| {
        let (mounts, broken) = mountinfo::parse(bytes);
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count();
        must(mounts.len() + broken == lines, "every line is a mount or broken")?;
        for mount in &mounts {
            must(mount.mount_point.as_bytes().len() <= bytes.len(), "unescaping never grows")?;
        }
        Ok(!mounts.is_empty())
    })
}

const FROZEN: [&[u8]; 1] =
    [b"xvdguard-policy=1\nhash=12ab\nbarrier.mode=on\nbarrier.lever=mount\n\
    queue.match=xvd*\nqueue.backend=drbd\nqueue.params=/dev/v\\x5cg\nqueue.max_sectors_kb=4\n\
    queue.read_ahead_kb=4096\nqueue.match=xvdb\nqueue.scheduler=none\n"];

/// The frozen policy: what was understood is printed and read again as the same.
pub fn frozen_policy() -> Parser {
    let words: &[&[u8]] = &[b"queue.match=", b"barrier.mode=", b"off\n", b"\\xff", b"queue."];
    parser("frozen-policy", &FROZEN, words, |bytes| {
        let (mut policy, oddities) = frozen::parse(bytes);
        // It is not unescaped when it is read; `freeze` writes hexadecimal digits.
        policy.hash = None;
        must(oddities.len() <= bytes.len() + 1, "an oddity has a line")?;
        let (again, more) = frozen::parse(frozen::print(&policy).as_bytes());
        must(more.is_empty(), &format!("what is printed is understood: {more:?}"))?;
        must(frozen::print(&again) == frozen::print(&policy), "what is printed is the same")?;
        must(frozen::hash(&again) == frozen::hash(&policy), "the hash is of what is carried")?;
        Ok(oddities.is_empty())
    })
}

const COMMAND_LINE: [&[u8]; 2] = [
    b"BOOT_IMAGE=/vmlinuz root=/dev/xvda1 ro rootflags=data=ordered,barrier=0 barrier=off quiet",
    b"xvdguard.barrier=\"auto\" xvdguard.recover=report xvdguard=off -- barrier=on",
];

/// The kernel command line: any words, with a sentence for each of ours that is wrong.
pub fn command_line() -> Parser {
    let words: &[&[u8]] = &[b" barrier=", b" xvdguard.", b" -- ", b"xvdguard=off", b"xvdguard-"];
    parser("command-line", &COMMAND_LINE, words, |bytes| {
        let words = KernelWords::parse(&Text::from(bytes));
        must(words.oddities.len() <= bytes.len(), "an oddity has a word")?;
        drop(words.overrule(Policy::default()));
        Ok(words.barrier.is_some())
    })
}

const REPORT: [&[u8]; 1] = [b"{\"schema\":1,\"tool\":\"xvdguard-early\",\"version\":\"0.1.0\",\
    \"boot_id\":\"a-b\",\"boot_ms\":1520,\"time\":null,\"disks\":[],\"said\":[\"x\\\\x1b\"],\
    \"xenstore\":{\"round_trips\":3,\"requests\":9}}"];

/// Reports of this boot: what was read is written and read again as the same.
pub fn report() -> Parser {
    parser("report", &REPORT, &[b"\"disks\":[{", b"null", b"\\\\x1b", b"1e400"], |bytes| {
        let Ok(report) = serde_json::from_slice::<Report>(bytes) else { return Ok(false) };
        let written = serde_json::to_vec(&report).map_err(|why| format!("write: {why}"))?;
        let again = serde_json::from_slice::<Report>(&written);
        must(again.is_ok_and(|again| again == report), "a report is read as it was written")?;
        Ok(true)
    })
}

const TEXT: [&[u8]; 6] = [
    b"a\x1b[2J\nb\\x41",
    "Fotos-ü \u{202e}gpj".as_bytes(),
    b"/dev/xvda1",
    b"6.12.107-1+deb13-amd64",
    b"1min 30s",
    b"202:16",
];

/// Small things: escaped text, kernel versions, spans of time, numbers.
pub fn text() -> Parser {
    parser("text", &TEXT, &[b"\\x5c", b"2.6.18-274.el5", b"5h"], |bytes| {
        let text = Text::from(bytes);
        let shown = text.to_string();
        must(!shown.chars().any(char::is_control), "what is shown has no control character")?;
        must(Text::from_escaped(&shown).as_ref() == Some(&text), "escaping loses nothing")?;
        let Some(str) = text.as_str() else { return Ok(false) };
        drop(Text::from_escaped(str));
        let version = KernelVersion::parse(str).is_some();
        Ok(duration::parse(str).is_ok() || version || text.number().is_some())
    })
}
