//! What the programs answer to anybody who asks: version, help, nonsense. Exit codes as in
//! sysexits.h.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::programs::{self, Ran};

const LIMIT: Duration = Duration::from_secs(30);
const BOTH: [&str; 2] = ["xvdguard", "xvdguard-early"];

fn command(name: &str, words: &str) -> Command {
    let mut command = programs::command(name).unwrap();
    command.args(words.split_whitespace());
    command
}

fn ask(name: &str, words: &str) -> Ran {
    programs::run(command(name, words), LIMIT).unwrap()
}

#[test]
fn the_version_is_one_line_and_needs_no_environment() {
    for name in BOTH {
        for word in ["--version", "-V"] {
            let mut command = command(name, word);
            command.env_clear().current_dir("/");
            let ran = programs::run(command, LIMIT).unwrap();
            assert_eq!(ran.out(), format!("{name} {}\n", env!("CARGO_PKG_VERSION")), "{word}");
            assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{name} {word}");
        }
    }
}

#[test]
fn the_help_names_every_command_and_fits_a_terminal() {
    for (name, commands) in [
        ("xvdguard", &["status", "probe", "record", "config"][..]),
        ("xvdguard-early", &["boot", "queue"]),
    ] {
        for word in ["--help", "-h"] {
            let ran = ask(name, word);
            assert_eq!((ran.code, ran.err().as_str()), (Some(0), ""), "{name} {word}");
            let help = ran.out();
            for command in commands {
                assert!(help.contains(&format!("{command} ")), "{name} {word}: {command}\n{help}");
            }
            let widest = help.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(100), "{name} {word}: {widest:?} columns\n{help}");
        }
    }
}

#[test]
fn nonsense_is_an_error_of_usage_that_names_the_word() {
    for (name, words, part) in [
        ("xvdguard", "", "Usage"),
        ("xvdguard", "fly", "fly"),
        ("xvdguard", "--nonsense", "--nonsense"),
        ("xvdguard", "status more", "more"),
        ("xvdguard", "status --root", "--root"),
        ("xvdguard", "probe --root / no-such-disk", "no-such-disk"),
        ("xvdguard-early", "", "missing"),
        ("xvdguard-early", "fly", "fly"),
        ("xvdguard-early", "--nonsense", "--nonsense"),
        ("xvdguard-early", "queue", "name of a disk"),
        ("xvdguard-early", "queue xvda xvdb", "xvdb"),
    ] {
        let ran = ask(name, words);
        assert_eq!(ran.code, Some(64), "{name} {words}: {}", ran.err());
        assert_eq!(ran.out(), "", "{name} {words}");
        assert!(ran.err().contains(part), "{name} {words}: {}", ran.err());
    }
}

#[test]
fn a_hook_with_words_of_another_version_does_not_stop_the_boot() {
    for words in ["boot --nonsense", "boot --format grub", "boot -o", "boot extra"] {
        let ran = ask("xvdguard-early", words);
        assert_eq!((ran.code, ran.out().as_str()), (Some(0), ""), "{words}");
        assert!(ran.err().starts_with("xvdguard-early: error: "), "{words}: {}", ran.err());
    }
}

#[test]
fn what_cannot_be_read_or_reached_has_codes_of_its_own() {
    for (words, code) in [
        ("status --root /no/such/root", 66),
        ("status --root / --xenstore /proc/self/exe", 66),
        ("status --root / --xenstore /no/such/socket", 69),
    ] {
        let ran = ask("xvdguard", words);
        assert_eq!((ran.code, ran.out().as_str()), (Some(code), ""), "{words}: {}", ran.err());
        assert!(ran.err().starts_with("xvdguard: error: cannot "), "{words}: {}", ran.err());
    }
}

#[test]
fn nobody_listening_is_no_reason_to_crash() {
    for name in BOTH {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = command(name, "--help");
        command.stdin(Stdio::null()).stdout(full).stderr(Stdio::null());
        assert_eq!(command.status().unwrap().code(), Some(0), "{name}");
    }
}
