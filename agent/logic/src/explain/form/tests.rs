//! Every form with the same message. The lines were printed by dmesg 2.38.1, journalctl 252 and
//! rsyslog, or follow the document that is named; all carry the same text.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;

const TEXT: &str = "EXT4-fs (xvda1): Remounting filesystem read-only";

/// What was read, with bytes as text.
fn read(lines: &[&str]) -> Vec<(String, String, Option<u64>, String)> {
    let mut forms = Forms::default();
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut take = |entry: &Entry<'_>| {
        let speaker = match entry.speaker {
            Speaker::Other(name) => alloc::format!("other {}", text(name)),
            named => alloc::format!("{named:?}").to_lowercase(),
        };
        found.push((text(entry.text), speaker, entry.time.boot_us, text(entry.time.wall)));
    };
    for line in lines {
        match forms.read_plain(line.as_bytes()) {
            Some((boot_us, text)) => take(&Entry::plain(boot_us, text)),
            None => forms.read(line.as_bytes(), &mut take),
        }
    }
    forms.finish(&mut take);
    found
}

#[track_caller]
fn check(line: &str, speaker: &str, boot_us: Option<u64>, wall: &str) {
    let expected = (TEXT.to_string(), speaker.to_string(), boot_us, wall.to_string());
    assert_eq!(read(&[&line.replace('@', TEXT)]), [expected], "{line}");
}

const AT: Option<u64> = Some(12_345_678);

#[test]
fn dmesg_in_all_its_forms() {
    for (line, speaker, boot_us, wall) in [
        ("[   12.345678] @", "unsaid", AT, ""),
        ("[   12.345678][    T1] @", "unsaid", AT, ""),
        ("[   12.345678] [   C0] @", "unsaid", AT, ""),
        ("[   12.345678 <    0.000123>] @", "unsaid", AT, ""),
        ("[  +0.000123] @", "unsaid", None, ""),
        ("[Nov20 13:41] @", "unsaid", None, ""),
        ("[Fri Nov 20 13:41:37 2026] @", "unsaid", None, "Fri Nov 20 13:41:37 2026"),
        ("2026-11-20T13:41:37,953328+00:00 @", "unsaid", None, "2026-11-20T13:41:37,953328+00:00"),
        ("<4>[   12.345678] @", "unsaid", AT, ""),
        ("<12>[   12.345678] @", "other ", AT, ""),
        ("kern  :warn  : [   12.345678] @", "kernel", AT, ""),
        ("user  :warn  : [   12.345678] @", "other ", AT, ""),
        ("daemon:info  : [Fri Nov 20 13:41:37 2026] @", "other ", None, "Fri Nov 20 13:41:37 2026"),
        ("kern  :notice: [Fri Nov 20 13:41:37 2026] @", "kernel", None, "Fri Nov 20 13:41:37 2026"),
        ("4,812,12345678,-;@", "kernel", AT, ""),
        ("4,812,12345678,-,caller=T1;@", "kernel", AT, ""),
        ("12,812,12345678,-;@", "other ", AT, ""),
    ] {
        check(line, speaker, boot_us, wall);
    }
}

#[test]
fn syslog_and_journalctl_in_all_their_forms() {
    for (line, speaker, boot_us, wall) in [
        ("Nov 20 10:00:00 guest kernel: @", "tagged", None, "Nov 20 10:00:00"),
        ("Nov  6 10:00:00 guest kernel: [   12.345678] @", "tagged", AT, "Nov  6 10:00:00"),
        ("Nov 20 10:00:00.123456 guest kernel: @", "tagged", None, "Nov 20 10:00:00.123456"),
        ("Nov 20 10:00:00 kernel: @", "tagged", None, "Nov 20 10:00:00"),
        ("<4>Nov 20 10:00:00 guest kernel: @", "tagged", None, "Nov 20 10:00:00"),
        ("<12>Nov 20 10:00:00 guest kernel: @", "other ", None, "Nov 20 10:00:00"),
        ("Nov 20 10:00:00 guest kernel[99]: @", "other kernel", None, "Nov 20 10:00:00"),
        ("Nov 20 10:00:00 guest sshd[12]: @", "other sshd", None, "Nov 20 10:00:00"),
        ("2026-11-20T10:00:00+0000 guest kernel: @", "tagged", None, "2026-11-20T10:00:00+0000"),
        (
            "2026-11-20T10:00:00.123456+01:00 guest kernel: [   12.345678] @",
            "tagged",
            AT,
            "2026-11-20T10:00:00.123456+01:00",
        ),
        ("1795168800.123456 guest kernel: @", "tagged", None, "1795168800.123456"),
        (
            "Fri 2026-11-20 10:00:00 UTC guest kernel: @",
            "tagged",
            None,
            "Fri 2026-11-20 10:00:00 UTC",
        ),
        ("[   12.345678] guest kernel: @", "tagged", AT, ""),
        ("<4>1 2026-11-20T10:00:00Z guest kernel - - - @", "tagged", None, "2026-11-20T10:00:00Z"),
        (
            "<4>1 2026-11-20T10:00:00Z - kernel - - [meta x=\"a]\\\"\"][b] [   12.345678] @",
            "tagged",
            AT,
            "2026-11-20T10:00:00Z",
        ),
        (
            "<13>1 2026-11-20T10:00:00Z guest kernel 99 - - @",
            "other kernel",
            None,
            "2026-11-20T10:00:00Z",
        ),
        ("kernel: @", "tagged", None, ""),
        ("iscsid: @", "other iscsid", None, ""),
        ("sshd[12]: @", "other sshd", None, ""),
    ] {
        check(line, speaker, boot_us, wall);
    }
}

#[test]
fn what_tickets_and_consoles_put_around_a_line_is_taken_off() {
    for line in [
        "    [   12.345678] @",
        "> [   12.345678] @",
        "> > | [   12.345678] @",
        ">>> [   12.345678] @",
        "&gt; [   12.345678] @",
        "| [   12.345678] @ |",
        "- `[   12.345678] @`",
        "* [   12.345678] @",
        "• [   12.345678] @",
        "3. [   12.345678] @",
        "17:[   12.345678] @",
        "<pre><code>[   12.345678] @</code></pre>",
        "&#91;   12.345678&#93; @<br/>",
        "\u{1b}[32m[   12.345678] \u{1b}[0m\u{1b}[33mEXT4-fs (xvda1): \u{1b}[0mRemounting \
         filesystem read-only\u{1b}[0m",
        "guest1 login: [   12.345678] @\r",
        "\u{1b}c\u{1b}[?7l\u{1b}[2J[   12.345678] @",
        "\u{fffd}\u{1}~[   12.345678] @",
        "guest-1  | [   12.345678] @\r\r",
    ] {
        check(line, "unsaid", AT, "");
    }
}

#[test]
fn the_label_of_a_console_is_its_host() {
    let mut hosts = Vec::new();
    let mut forms = Forms::default();
    for line in [
        "u2| [   12.345678] a",
        "Nov 20 10:00:00 guest kernel: a",
        "x| Nov 20 10:00:00 guest kernel: a",
        "[   12.345678] guest kernel: a",
        "[   12.345678] a",
    ] {
        forms.read(line.as_bytes(), &mut |entry| hosts.push(entry.host.to_vec()));
    }
    let expected: [&[u8]; 5] = [b"u2", b"guest", b"guest", b"guest", b""];
    assert_eq!(hosts, expected);
}

#[test]
fn two_lines_that_a_carriage_return_joins_are_two() {
    let read = read(&["u2| [   80.388014] one\r[  108.832646] two\r"]);
    let texts: Vec<_> = read.iter().map(|entry| (entry.0.as_str(), entry.2)).collect();
    assert_eq!(texts, [("one", Some(80_388_014)), ("two", Some(108_832_646))]);
}

#[test]
fn a_process_stays_a_process_whatever_it_prints() {
    for line in [
        "Nov 20 10:00:00 guest sshd[1]: x\r[   12.345678] @",
        "Nov 20 10:00:00 guest sshd[1]: [   12.345678] @",
        "12,1,1000,-;[   12.345678] @",
        "user  :warn  : [   12.345678] x\rkernel: @",
        "Nov 20 10:00:00 guest last message repeated 3 times\r[   12.345678] @",
        "sshd[1]: [   12.345678] @",
    ] {
        let read = read(&[&line.replace('@', TEXT)]);
        assert!(read.iter().all(|entry| entry.1.starts_with("other")), "{line}: {read:?}");
    }
}

#[test]
fn json_of_dmesg_is_read_over_its_lines() {
    let pretty = [
        "{",
        "   \"dmesg\": [",
        "      {",
        "         \"pri\": 4,",
        "         \"time\":   12.345678,",
        "         \"msg\": \"a \\\"b\\\" \\u00fc\"",
        "      },{",
        "         \"fac\": \"kern\",",
        "         \"pri\": \"warn\",",
        "         \"time\": 8665.086265,",
        "         \"msg\": \"c\"",
        "      },{",
        "         \"fac\": \"user\",",
        "         \"pri\": \"warn\",",
        "         \"msg\": \"d\"",
        "      }",
        "   ]",
        "}",
        "[   12.345678] e",
    ];
    let expected = [
        ("a \"b\" ü", "unsaid", AT),
        ("c", "kernel", Some(8_665_086_265)),
        ("d", "other ", None),
        ("e", "unsaid", AT),
    ];
    let shown =
        |read: &[(String, String, Option<u64>, String)]| -> Vec<(String, String, Option<u64>)> {
            read.iter().map(|entry| (entry.0.clone(), entry.1.clone(), entry.2)).collect()
        };
    let expected = expected.map(|(text, by, at)| (text.to_string(), by.to_string(), at));
    assert_eq!(shown(&read(&pretty)), expected);
    let compact = pretty[..18].concat();
    assert_eq!(shown(&read(&[&compact, pretty[18]])), expected);
}

#[test]
fn json_of_journalctl_tells_who_speaks() {
    let line = |fields: &str| {
        alloc::format!(
            "{{\"__CURSOR\":\"s=1\",\"__REALTIME_TIMESTAMP\":\"1795168800000000\",{fields},\
             \"_SOURCE_MONOTONIC_TIMESTAMP\":\"12345678\",\"MESSAGE\":\"@\"}}"
        )
    };
    for (fields, speaker) in [
        ("\"_TRANSPORT\":\"kernel\"", "kernel"),
        ("\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"0\"", "kernel"),
        ("\"_TRANSPORT\":\"kernel\",\"SYSLOG_FACILITY\":\"3\"", "other "),
        ("\"_TRANSPORT\":\"syslog\",\"SYSLOG_IDENTIFIER\":\"kernel\"", "other kernel"),
        ("\"SYSLOG_IDENTIFIER\":\"kernel\"", "tagged"),
        ("\"SYSLOG_IDENTIFIER\":\"sshd\"", "other sshd"),
        ("\"_TRANSPORT\":[\"stdout\",\"kernel\"]", "other "),
    ] {
        check(&line(fields), speaker, AT, "1795168800000000");
    }
    let bytes: Vec<String> = TEXT.bytes().map(|byte| byte.to_string()).collect();
    let line = "{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":[@]}".replace('@', &bytes.join(","));
    check(&line, "kernel", None, "");
}

#[test]
fn the_journals_export_is_obeyed_to_the_byte() {
    // The second message holds a newline and what looks like fields; its length says where it ends.
    let inner = "x\n_TRANSPORT=kernel\nMESSAGE=forged\n\n";
    let length = String::from_utf8((inner.len() as u64).to_le_bytes().to_vec()).unwrap();
    let log = [
        "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1795168800000000\n__MONOTONIC_TIMESTAMP=99999999\n\
         _SOURCE_MONOTONIC_TIMESTAMP=12345678\n_BOOT_ID=aa\n_TRANSPORT=kernel\nPRIORITY=4\n\
         MESSAGE=@\n\n__CURSOR=s=2\n_TRANSPORT=stdout\nMESSAGE\n",
        &length,
        inner,
        "\nSYSLOG_IDENTIFIER=evil\n\n__CURSOR=s=3\n_TRANSPORT=kernel\nMESSAGE=last",
    ]
    .concat()
    .replace('@', TEXT);
    let read = read(&log.split('\n').collect::<Vec<_>>());
    let shown: Vec<_> = read.iter().map(|entry| (&*entry.0, &*entry.1)).collect();
    assert_eq!(shown, [(TEXT, "kernel"), (inner, "other evil"), ("last", "kernel")]);
    assert_eq!((read[0].2, &*read[0].3), (AT, "1795168800000000"));
}

#[test]
fn forms_may_be_mixed_and_broken_off() {
    let lines = [
        "{",
        "  \"msg\": \"cut",
        "Nov 20 10:00:00 guest kernel: @",
        "__CURSOR=s=1",
        "_TRANSPORT=kernel",
        "[   12.345678] @",
    ];
    let lines = lines.map(|line| line.replace('@', TEXT));
    let read = read(&lines.each_ref().map(String::as_str));
    let texts: Vec<_> = read.iter().map(|entry| &*entry.0).collect();
    assert_eq!(texts, [TEXT, TEXT]);
}

#[test]
fn boots_are_told_by_journalctl() {
    let mut forms = Forms::default();
    let mut boots = Vec::new();
    for line in ["-- Boot 1f --", "-- Reboot --", "-- No entries --", "- Boot 1f -"] {
        let mut is_marker = |entry: &Entry<'_>| boots.push(entry.boot != Boot::Unsaid);
        forms.read(line.as_bytes(), &mut is_marker);
    }
    // The others are texts that mean nothing.
    assert_eq!(boots, [true, true, false, false]);
}
