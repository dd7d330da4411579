//! A pipe of any size, in constant memory.

use std::fs;
use std::io::Write;
use std::process::{Child, Stdio};
use std::time::Duration;

use harness::{deadline, programs};
use serde_json::Value;

/// The most memory that a process ever held, in KiB (proc(5)).
fn peak_kib(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Lines of which every second says something about one of many devices, in many boots.
fn lines(from: u64) -> Vec<u8> {
    let mut lines = Vec::new();
    for number in from..from + 4000 {
        let (s, us) = (number / 1000 % 100_000, number % 1000 * 1000);
        let disk = number % 4001;
        writeln!(lines, "[{s:5}.{us:06}] usb 1-1: new device number {number}").unwrap();
        writeln!(lines, "[{s:5}.{us:06}] EXT4-fs (xvd{disk}): I/O error while writing superblock")
            .unwrap();
    }
    lines
}

#[test]
fn a_pipe_of_any_size_takes_the_same_memory() {
    let told = deadline::within(Duration::from_secs(300), || {
        let mut command = programs::command("xvdguard").unwrap();
        command.args(["explain", "--json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"[    0.500000] blkfront: xvda: barrier op failed\n").unwrap();
        let mut peaks = Vec::new();
        for round in 0..64 {
            pipe.write_all(&lines(1000 + round * 4000)).unwrap();
            peaks.push(peak_kib(&child));
        }
        // A line that never ends is no reason to remember it.
        for _ in 0..16 {
            pipe.write_all(&[b'x'; 1 << 20]).unwrap();
        }
        peaks.push(peak_kib(&child));
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        (peaks, serde_json::from_slice::<Value>(&output.stdout).unwrap())
    });
    let (peaks, story) = told.expect("no end within the limit");
    let (early, late) = (peaks[8], peaks[peaks.len() - 1]);
    assert!(late <= early + 1024, "grew from {early} to {late} KiB: {peaks:?}");
    assert_eq!(story["log"]["lines"], 1 + 64 * 8000 + 1);
    assert_eq!(
        (&story["verdict"], &story["more"]["verdict"]),
        (&"erring".into(), &"erring".into())
    );
    assert_eq!(story["devices"].as_array().unwrap().len(), 128);
    assert_eq!(story["devices"][0]["name"], "xvda");
}
