//! Logs written to fool the reader: a finding that is not the kernel's would lead a person, and
//! later a daemon, to stop services for nothing.

use serde_json::json;

use crate::setup::Log;

const DEAD: &str = "Aborting journal on device xvda1-8.";

#[test]
fn what_the_form_says_a_process_wrote_is_no_finding() {
    for line in [
        "12,1,1000,-;@",
        "30,1,1000,-;@",
        "user  :err   : [    1.000000] @",
        "daemon:err   : [Fri Nov 20 10:00:00 2026] @",
        "<11>[    1.000000] @",
        "<13>Nov 20 10:00:00 guest kernel: @",
        "<13>1 2026-11-20T10:00:00Z guest kernel - - - @",
        "Nov 20 10:00:00 guest sshd[812]: @",
        "Nov 20 10:00:00 guest sshd[812]: [    1.000000] @",
        "Nov 20 10:00:00 guest kernel[812]: @",
        "2026-11-20T10:00:00+00:00 guest logger: @",
        "{\"_TRANSPORT\":\"syslog\",\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":\"@\"}",
        "{\"_TRANSPORT\":\"stdout\",\"SYSLOG_FACILITY\":\"0\",\"MESSAGE\":\"@\"}",
        "{\"fac\":\"user\",\"pri\":\"err\",\"time\":1.000000,\"msg\":\"@\"}",
        "__CURSOR=x\n_TRANSPORT=syslog\nSYSLOG_IDENTIFIER=kernel\nMESSAGE=@\n",
        "sshd[812]: @",
    ] {
        let story = Log::new(line.replace('@', DEAD)).document();
        assert_eq!(story["verdict"], "healthy", "{line}: {story:#}");
        assert_eq!(story["devices"], json!([]), "{line}");
    }
}

#[test]
fn the_words_of_a_message_inside_another_are_nothing() {
    for text in [
        format!("systemd[1]: {DEAD}"),
        format!("audit: type=1400 audit(1.0:2): name=\"{DEAD}\""),
        format!("x {DEAD}"),
        format!("{DEAD} "),
        format!("{DEAD} said somebody"),
        "usb 1-1: Product: blkfront: xvda: flush op failed".into(),
        "random: EXT4-fs (xvda1): Remounting filesystem read-only".into(),
    ] {
        // A blank at the end is taken off: forms are not exact there.
        let expected = if text == format!("{DEAD} ") { "aborted" } else { "healthy" };
        let story = Log::new(format!("4,1,1000,-;{text}\n")).document();
        assert_eq!(story["verdict"], expected, "{text}");
    }
}

/// A task calls itself what it likes (prctl(2), 15 bytes), and files have any name.
#[test]
fn a_device_never_comes_out_of_a_name_that_a_process_chose() {
    for (text, devices) in [
        (
            "EXT4-fs error (device xvdb): ext4_find_entry:1: inode #2: comm (device xvda): : bad",
            ["xvdb"],
        ),
        (
            "EXT4-fs error (device xvdb): f:1: comm x: EXT4-fs (xvda): Remounting filesystem \
             read-only",
            ["xvdb"],
        ),
        (
            "EXT4-fs error (device xvdb): f:1: comm ) (device xvda: Detected aborted journal",
            ["xvdb"],
        ),
        ("INFO: task jbd2/xvda2-8:412 blocked for more than 120 seconds.", [""]),
        ("INFO: task EXT4-fs (xvda):9 blocked for more than 120 seconds.", [""]),
    ] {
        let story = Log::new(format!("4,1,1000,-;{text}\n")).document();
        let found: Vec<_> = story["devices"].as_array().unwrap().iter().collect();
        let names: Vec<_> = found.iter().map(|one| one["name"].as_str().unwrap_or("")).collect();
        assert_eq!(names, devices, "{text}: {story:#}");
    }
}

#[test]
fn nothing_that_is_shown_can_move_a_cursor() {
    let evil = "EXT4-fs error (device xvdb): f:1: comm \x1b]0;x\x07\x1b[2J\u{202e}: \\x41\x08";
    let line =
        format!("{{\"_TRANSPORT\":\"kernel\",\"_HOSTNAME\":\"g\\u001b[31m\",\"MESSAGE\":{}}}", {
            serde_json::to_string(evil).unwrap()
        });
    for log in [Log::new(&line), Log::new(format!("4,1,1000,-;{evil}\n"))] {
        for arguments in [&[][..], &["-v"], &["-q"], &["--json"]] {
            let ran = log.explain(arguments);
            assert_eq!(ran.code, Some(10), "{ran:?}");
            let out = ran.out();
            let harmful = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
            assert!(!out.contains(harmful), "{arguments:?}: {out:?}");
            assert!(arguments == ["-q"] || out.contains("5cx41"), "{arguments:?}: {out:?}");
        }
    }
}

#[test]
fn a_log_that_any_user_may_write_is_called_so() {
    for (line, could_be_forged) in [
        ("Nov 20 10:00:00 guest kernel: @", true),
        ("{\"SYSLOG_IDENTIFIER\":\"kernel\",\"MESSAGE\":\"@\"}", true),
        ("{\"_TRANSPORT\":\"kernel\",\"MESSAGE\":\"@\"}", false),
        ("3,1,1000,-;@", false),
    ] {
        let log = Log::new(line.replace('@', DEAD));
        assert_eq!(log.document()["log"]["could_be_forged"], could_be_forged, "{line}");
        let says_so = log.explain(&[]).out().contains("logger -t kernel");
        assert_eq!(says_so, could_be_forged, "{line}");
    }
}
