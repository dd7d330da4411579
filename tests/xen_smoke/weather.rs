//! Bad weather, made: QEMU that is killed, a disk that is full. The run must end by itself, with a
//! code that is none of success and a sentence that says why.

use std::fs;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use harness::requires;
use harness::scratch::Scratch;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::one_run;

fn smoke() -> Command {
    let mut xen = Command::new(env!("CARGO_BIN_EXE_xen"));
    xen.env("SCENARIO", "smoke").env_remove("KERNEL").stdout(Stdio::piped());
    xen
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Every bed of this process: QEMU that plays a machine, and not one that says its version.
fn beds(parent: u32) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let read = |number: &i32, name: &str| {
        fs::read_to_string(format!("/proc/{number}/{name}")).unwrap_or_default()
    };
    let is_bed = |number: &i32| {
        let stat = read(number, "stat");
        let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
        let is_child = fields.split_whitespace().nth(1) == Some(&parent.to_string());
        is_child && read(number, "cmdline").contains("\0-accel\0")
    };
    numbers.filter(is_bed).filter_map(Pid::from_raw).collect()
}

/// Kills each QEMU of this process until told to stop. Returns how many.
fn kill_emulators(parent: u32, is_over: &AtomicBool) -> usize {
    let mut killed = 0;
    while !is_over.load(Ordering::Relaxed) {
        for pid in beds(parent) {
            let sent = pidfd_open(pid, PidfdFlags::empty())
                .and_then(|handle| pidfd_send_signal(handle, Signal::KILL));
            killed += usize::from(sent.is_ok());
        }
        thread::sleep(Duration::from_millis(200));
    }
    killed
}

#[test]
fn an_emulator_that_is_killed_whenever_it_starts_fails_the_run() {
    let (Some(_), Some(_)) = (requires::root(), requires::program("apt-get")) else { return };
    let _alone = one_run();
    let xen = smoke().spawn().unwrap();
    let (parent, is_over) = (xen.id(), AtomicBool::new(false));
    let (output, killed) = thread::scope(|scope| {
        let killer = scope.spawn(|| kill_emulators(parent, &is_over));
        let output = xen.wait_with_output();
        is_over.store(true, Ordering::Relaxed);
        (output.unwrap(), killer.join().unwrap())
    });
    let said = said(&output);
    // A guest without xvdguard and one with it, each in two beds.
    assert!(killed >= 4, "{killed} were killed:\n{said}");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("xen: bad weather, once more in a new bed: "), "{said}");
    assert!(said.contains("healthy on 6.1: FAIL without, bad weather: "), "{said}");
    assert!(said.contains("QEMU has ended") || said.contains("QEMU did not start"), "{said}");
    assert!(!said.contains("pass"), "{said}");
}

#[test]
fn a_disk_without_room_ends_the_run_at_once() {
    const SMALL: &str = r#"mount -t tmpfs -o size=64m tmpfs "$1" && CARGO_TARGET_DIR=$1 exec "$2""#;
    let Some(_) = requires::root() else { return };
    let scratch = Scratch::new("full").unwrap();
    let mut xen = Command::new("unshare");
    xen.args(["--mount", "sh", "-c", SMALL, "sh"]).arg(scratch.path());
    let output = xen.arg(env!("CARGO_BIN_EXE_xen")).env("SCENARIO", "smoke").output().unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("64 MiB free, and the bed needs 4096: make room"), "{said}");
}
