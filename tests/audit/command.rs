//! The command: exit codes, the forms of its output, what it does when it cannot look.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::{programs, requires};

use crate::checked;
use crate::fixture::Fixture;

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn with_fstab(content: &[u8]) -> tempfile::TempDir {
    let root = Fixture::base("debian12").expand();
    fs::write(root.path().join("etc/fstab"), content).unwrap();
    root
}

#[test]
fn exit_codes_are_those_of_monitoring_plugins() {
    let code = |root: &Path, words: &[&str]| checked::run(root, words).status.code();
    let healthy = Fixture::base("debian12").expand();
    assert_eq!(code(healthy.path(), &["check"]), Some(0));
    let info = Fixture::base("el9").expand();
    assert_eq!(code(info.path(), &["check"]), Some(0));
    let warning = with_fstab(b"UUID=1 / ext4 errors=continue 0 1\n");
    assert_eq!(code(warning.path(), &["check"]), Some(1));
    let critical = with_fstab(b"/dev/sda1 /srv ext4 defaults 0 2\n");
    assert_eq!(code(critical.path(), &["check", "--nagios"]), Some(2));
    for words in [&["check", "--bogus"][..], &["check", "--nagios", "--json"]] {
        assert_eq!(code(healthy.path(), words), Some(3), "{words:?}");
    }
    assert_eq!(code(Path::new("/no/such"), &["check"]), Some(3));
    assert_eq!(code(Path::new("/no/such"), &["status"]), Some(66));
}

#[test]
fn a_monitor_is_told_the_state_in_the_first_line() {
    let root = with_fstab(b"UUID=1 / ext4 errors=continue 0 1\n");
    let output = text(&checked::run(root.path(), &["check", "--nagios"]));
    let first = output.lines().next().unwrap();
    assert!(first.starts_with("XVDGUARD WARNING - 1 warning of "), "{first}");
    assert!(
        first
            .ends_with(": errors-continue | critical=0;;0;0 warning=1;0;;0 info=0;;;0 disks=1;;;0")
    );
    let healthy = Fixture::base("debian12").expand();
    let output = text(&checked::run(healthy.path(), &["check", "--nagios"]));
    assert!(output.starts_with("XVDGUARD OK - nothing found by "), "{output}");
    let output = text(&checked::run(Path::new("/no/such"), &["check", "--nagios"]));
    assert!(output.starts_with("XVDGUARD UNKNOWN - cannot open directory /no/such: "), "{output}");
}

#[test]
fn the_worst_stands_first_with_what_to_do() {
    let root = with_fstab(b"UUID=1 / ext4 errors=continue 0 1\n/dev/sda1 /srv ext4 defaults 0 2\n");
    let output = text(&checked::run(root.path(), &["check"]));
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "critical  fstab-names-absent-disk: /etc/fstab:2");
    assert!(lines.contains(&"warning   errors-continue: /etc/fstab:1"), "{output}");
    assert!(lines.iter().any(|line| line.trim_start() == "Do: say errors=remount-ro."), "{output}");
    assert!(lines.iter().all(|line| line.len() <= 100), "{output}");
    assert!(lines.last().unwrap().starts_with("critical: 1 critical, 1 warning of "), "{output}");
    let quiet = text(&checked::run(root.path(), &["-q", "check"]));
    assert_eq!(quiet, "critical  fstab-names-absent-disk: /etc/fstab:2\n");
}

#[test]
fn what_a_stranger_wrote_is_escaped_wherever_it_is_shown() {
    let hostile = "UUID=1 /srv/\x1b]0;owned\x07 ext4 errors=continue 0 1\n/dev/sda\x1b[2J / x\n\
        /dev/sda1 /srv/|perf ext4 defaults 0 2\nbroken\x1b[31m\n";
    let root = with_fstab(hostile.as_bytes());
    fs::create_dir_all(root.path().join("etc/cron.d")).unwrap();
    let name = "etc/cron.d/a\x1b[2Jb";
    fs::write(root.path().join(name), "* * * * * root mount -o remount,rw /\n").unwrap();
    for words in [&["check"][..], &["check", "--nagios"], &["check", "--json"]] {
        let output = text(&checked::run(root.path(), words));
        let is_harmless = |c: char| !c.is_control() || c == '\n';
        assert!(output.chars().all(is_harmless), "{words:?}: {output:?}");
        assert!(output.contains("x1b"), "{words:?}: {output}");
    }
    let output = text(&checked::run(root.path(), &["check", "--nagios"]));
    assert_eq!(output.matches('|').count(), 1, "{output}");
}

#[test]
fn outside_of_xen_there_is_nothing_to_guard() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("proc/sys/kernel/random");
    fs::create_dir_all(&folder).unwrap();
    let ends_with = |text_of_end: &str| {
        let output = checked::run(root.path(), &["-q", "check"]);
        assert!(text(&output).starts_with(text_of_end), "{output:?}");
        assert_eq!(output.status.code(), Some(0));
    };
    ends_with("ok: nothing found by ");
    fs::write(folder.join("boot_id"), "78ff0672-ff82-45f1-8c57-5e2fbce63dbe\n").unwrap();
    ends_with("not a Xen guest: nothing to guard here");
}

#[test]
fn a_root_that_does_not_answer_is_unknown() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let root = Fixture::base("debian12").expand();
    let etc = root.path().join("etc");
    let disk = FaultyDisk::formatted("ext4").unwrap();
    let mounted = disk.mount(&etc, "ext4", "rw").unwrap();
    fs::write(etc.join("fstab"), "/dev/xvda1 / ext4 barriers=0 0 1\n").unwrap();
    drop(mounted);
    let _mounted = disk.mount(&etc, "ext4", "ro").unwrap();
    disk.storage.set(Fault::Read(Answer::Hang)).unwrap();
    let mut program = checked::program(root.path());
    program.args(["check", "--nagios"]);
    let ran = programs::run(program, Duration::from_secs(60)).unwrap();
    let expected = format!("XVDGUARD UNKNOWN - cannot read {}: no answer within ", etc.display());
    assert!(ran.out().starts_with(&expected), "{ran:?}");
    assert_eq!(ran.code, Some(3));
    disk.storage.heal().unwrap();
    let again = checked::run(root.path(), &["check"]);
    assert_eq!(again.status.code(), Some(2), "{again:?}");
}
