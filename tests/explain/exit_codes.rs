//! Exit codes, and what is said about input that is no log.

use crate::setup::{Log, explain};

#[test]
fn findings_are_10_and_none_are_0() {
    let healthy = Log::new("[    1.000000] blkfront: xvda: barrier or flush: disabled\n");
    let ran = healthy.explain(&[]);
    assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""));
    assert_eq!(ran.out(), "healthy: no failure of the storage is in this log\n");
    let refused = Log::new("[    1.000000] blkfront: xvda: flush op failed\n");
    assert_eq!(refused.explain(&[]).code, Some(10));
    assert_eq!(refused.explain(&["-q"]).code, Some(10));
    assert_eq!(refused.explain(&["--json"]).code, Some(10));
    // No failure of the storage, but a mount that will fail again.
    let option = Log::new("[    1.000000] xfs: Unknown parameter 'nobarrier'\n");
    let ran = option.explain(&[]);
    assert_eq!(ran.code, Some(10));
    assert!(ran.out().contains("Take the option out of /etc/fstab"), "{}", ran.out());
}

#[test]
fn what_cannot_be_read_is_66_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    for (path, said) in [
        (folder.path().join("missing"), "cannot open "),
        (folder.path().to_owned(), "Is a directory"),
    ] {
        let ran = explain(&[&path.to_string_lossy()]);
        assert_eq!((ran.code, ran.out().as_str()), (Some(66), ""), "{ran:?}");
        assert!(
            ran.err().contains(said) && ran.err().contains(&*path.to_string_lossy()),
            "{ran:?}"
        );
    }
    for (start, program) in [
        (&b"\x1f\x8b\x08\x00"[..], "zcat "),
        (b"\xfd7zXZ\x00\x00", "xzcat "),
        (b"\x28\xb5\x2f\xfd\x04", "zstdcat "),
        (b"BZh91AY", "bzcat "),
        (b"LPKSHHRH\x00", "journalctl -k -o export --file "),
    ] {
        let ran = Log::new(start).explain(&[]);
        assert_eq!(ran.code, Some(66), "{ran:?}");
        assert!(ran.err().contains(&format!("Do: {program}")), "{ran:?}");
        assert!(ran.err().contains("| xvdguard explain -"), "{ran:?}");
    }
}

#[test]
fn input_without_a_kernel_message_is_healthy_with_a_remark() {
    let noise: Vec<u8> =
        (0..100_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for (content, lines) in
        [(&b""[..], "0 lines"), (b"hello\nworld\n", "2 lines"), (&noise, "lines")]
    {
        let log = Log::new(content);
        let ran = log.explain(&[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let out = ran.out();
        assert!(out.starts_with("healthy: "), "{out}");
        assert!(out.contains("No kernel message in ") && out.contains(lines), "{out}");
        assert_eq!(log.document()["first_cause"], serde_json::Value::Null);
    }
}

#[test]
fn a_kernel_that_is_none_is_a_wrong_command_line() {
    let ran = explain(&["--kernel", "new", "-"]);
    assert_eq!(ran.code, Some(64), "{ran:?}");
    assert!(ran.err().contains("6.1"), "{ran:?}");
}

/// Without the ends of lines, which sentences may have anywhere.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_kernel_may_be_said_where_the_log_does_not() {
    let log = Log::new("[    1.000000] blkfront: xvda: flush op failed\n");
    for (kernel, said) in [
        ("2.6.32", "goes on without barriers"),
        ("3.2", "mount -o remount,barrier=0"),
        ("6.1.0-56-amd64", "write through"),
        ("6.12", "sends no flush any more"),
    ] {
        let out = words(&log.explain(&["--kernel", kernel]).out());
        assert!(out.contains(said) && !out.contains("does not tell"), "{kernel}: {out}");
    }
    assert!(words(&log.explain(&[]).out()).contains("--kernel VERSION"));
}
