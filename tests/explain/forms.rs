//! The same log in every form tells the same story.
//!
//! The files in `forms/` were printed by the real programs from one source: dmesg 2.38.1 (`-F`, and
//! for --json each message ended where dmesg ends it when it reads the kernel) and journalctl 252
//! (from a journal that systemd-journal-remote made of it). What syslog daemons, consoles and
//! people do to a line is done here. One line is a process's: it claims that another file system
//! is dead.

use std::fs;

use serde_json::{Value, json};

use crate::setup::{Log, document, folder, logs};

/// What every form must tell: nothing in it depends on times, hosts or line numbers.
fn gist(story: &Value) -> Value {
    let devices = story["devices"].as_array().unwrap().iter().map(|device| {
        let findings = device["findings"].as_array().unwrap().iter();
        let findings = findings.map(|one| json!([one["id"], one["count"], one["text"]]));
        json!([
            device["name"],
            device["names"],
            device["verdict"],
            device["kernel"],
            findings.collect::<Vec<_>>()
        ])
    });
    let cause = &story["first_cause"];
    json!({
        "verdict": story["verdict"],
        "cause": [cause["id"], cause["device"], cause["text"]],
        "devices": devices.collect::<Vec<_>>(),
        "boots": story["log"]["boots"],
    })
}

fn expected() -> Value {
    const STATE: &str = "blkfront: xvda: barrier or flush: disabled; persistent grants: enabled; \
        indirect descriptors: enabled; bounce buffer: enabled";
    const REFUSED: &str = "blkfront: xvda: flush op failed";
    json!({
        "verdict": "aborted",
        "cause": ["blkfront_op_fail", "xvda", REFUSED],
        "devices": [["xvda", ["xvda1", "xvda"], "aborted", "6.1.0", [
            ["blkfront_op_fail", 1, REFUSED],
            ["blkfront_flush_state_311", 1, STATE],
            ["blk_io_error_op", 1, "I/O error, dev xvda, sector 1606 op 0x1:(WRITE) flags 0x9800 \
                phys_seg 1 prio class 2"],
            ["jbd2_abort", 1, "Aborting journal on device xvda1-8."],
            ["ext4_detected_abort", 1, "EXT4-fs error (device xvda1): \
                ext4_journal_check_start:83: comm touch: Detected aborted journal"],
            ["ext4_remount_ro", 1, "EXT4-fs (xvda1): Remounting filesystem read-only"],
        ]]],
        "boots": 1,
    })
}

#[track_caller]
fn check(name: &str, content: &str) -> Value {
    let story = Log::new(content).document();
    assert_eq!(gist(&story), expected(), "{name}: {content}");
    story
}

fn plain() -> String {
    fs::read_to_string(folder("forms").join("dmesg-plain.log")).unwrap()
}

fn by_line(change: impl Fn(&str) -> String) -> String {
    plain().lines().map(|line| change(line) + "\n").collect()
}

#[test]
fn what_dmesg_and_journalctl_print_is_one_story() {
    let logs = logs("forms");
    assert_eq!(logs.len(), 24);
    for (name, path) in logs {
        let story = document(&path);
        assert_eq!(gist(&story), expected(), "{name}");
        let is_proven = name.contains('x') && name.starts_with("dmesg")
            || name.contains("json")
            || name == "journalctl-export"
            || name == "kmsg";
        if is_proven {
            assert_eq!(story["log"]["other_messages"], 1, "{name}");
        }
    }
}

#[test]
fn times_are_read_where_a_form_has_them() {
    for (name, time, boot_ms) in [
        ("kmsg", None, Some(85667)),
        ("dmesg-plain", None, Some(85667)),
        ("dmesg-xJ", None, Some(85667)),
        ("dmesg-iso", Some("2026-11-20T"), None),
        ("journalctl-short-monotonic", None, Some(85667)),
        ("journalctl-short", None, None),
        ("journalctl-short-iso", Some("2026-11-20T10:01:25.000Z"), None),
        ("journalctl-short-iso-precise", Some("2026-11-20T10:01:25.667Z"), None),
        ("journalctl-short-full", Some("2026-11-20T10:01:25.000Z"), None),
        ("journalctl-short-unix", Some("2026-11-20T10:01:25.667Z"), None),
        ("journalctl-json", Some("2026-11-20T10:01:25.667Z"), Some(85667)),
        ("journalctl-export", Some("2026-11-20T10:01:25.667Z"), Some(85667)),
    ] {
        let story = document(&folder("forms").join(format!("{name}.log")));
        let cause = &story["first_cause"];
        let found = cause["time"].as_str();
        assert_eq!(found.is_some(), time.is_some(), "{name}: {cause}");
        assert!(found.unwrap_or("").starts_with(time.unwrap_or("")), "{name}: {cause}");
        assert_eq!(cause["boot_ms"].as_u64(), boot_ms, "{name}: {cause}");
    }
}

/// As rsyslog writes them: RFC 3164 with and without the kernel's time, its own format, RFC 5424.
#[test]
fn files_of_syslog_daemons_are_one_story() {
    let head = |head: &'static str| by_line(move |line| format!("{head}{line}"));
    for (name, content) in [
        ("rfc 3164", head("Nov 20 10:00:00 guest kernel: ")),
        ("with a priority", head("<4>Nov 20 10:00:00 guest kernel: ")),
        ("rsyslog's own", head("2026-11-20T10:00:00.123456+01:00 guest kernel: ")),
        ("rfc 5424", head("<4>1 2026-11-20T10:00:00.123456Z guest kernel - - - ")),
        (
            "rfc 5424 with data",
            head("<4>1 2026-11-20T10:00:00Z guest kernel - - [meta sequenceId=\"9\"] \u{feff}"),
        ),
        (
            "without the kernel's time",
            by_line(|line| format!("Nov 20 10:00:00 guest kernel: {}", &line[15..])),
        ),
    ] {
        check(name, &content);
    }
}

#[test]
fn consoles_and_tickets_are_one_story() {
    for (name, content) in [
        ("CR and LF", by_line(|line| format!("{line}\r"))),
        ("three CR", by_line(|line| format!("{line}\r\r\r"))),
        ("terminal sequences", by_line(|line| format!("\x1b[0m\x1b[?7l{line}\x1b[K\x1b[m"))),
        ("garbage before", by_line(|line| format!("\u{fffd}\x00\x03~~{line}"))),
        ("a prompt before", by_line(|line| format!("guest login: {line}"))),
        ("a label before", by_line(|line| format!("guest-1  | {line}"))),
        ("indented", by_line(|line| format!("\t    {line}"))),
        ("quoted", by_line(|line| format!("> > {line}"))),
        ("quoted in a table", by_line(|line| format!("| {line} |"))),
        ("bullets", by_line(|line| format!(" - {line}"))),
        ("stars and back ticks", by_line(|line| format!(" * `{line}`"))),
        ("numbered", by_line(|line| format!("12:{line}"))),
        ("in a code fence", format!("It broke:\n```text\n{}```\nHelp!\n", plain())),
        (
            "HTML",
            by_line(|line| {
                format!("&gt; {}<br/>", line.replace('"', "&quot;").replace('[', "&#91;"))
            }),
        ),
        ("HTML with tags", by_line(|line| format!("<pre class=\"log\">{line}</pre>"))),
        ("without a newline at the end", plain().trim_end().into()),
        ("with a byte order mark", format!("\u{feff}{}", plain())),
    ] {
        check(name, &content);
    }
}

#[test]
fn forms_may_be_mixed_in_one_file() {
    let lines = |name: &str| -> Vec<String> {
        let content = fs::read_to_string(folder("forms").join(format!("{name}.log"))).unwrap();
        content.lines().map(str::to_owned).collect()
    };
    // Eleven messages, of which each form tells some; they have no host in common forms.
    let (kmsg, words, plain) = (lines("kmsg"), lines("dmesg-x"), lines("dmesg-plain"));
    let json = fs::read_to_string(folder("forms").join("dmesg-xJ.log")).unwrap();
    let last: Vec<&str> = json.lines().skip(3 + 9 * 5).collect();
    let mixed = [
        kmsg[..4].join("\n"),
        words[3..6].join("\n"),
        "And then:".into(),
        format!("> {}", plain[6]),
        format!("> {}", plain[7]),
        plain[8].clone(),
        "{".into(),
        last.join("\n"),
    ];
    check("mixed", &mixed.join("\n"));
}
