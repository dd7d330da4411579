//! A process of the harness ends in the middle of everything, by any way; nothing of it stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use harness::deadline::seen;
use harness::loop_device::remove_unused;
use harness::mount::Mounted;
use harness::namespace::enter_private_mounts;
use harness::{helper, program, requires, scratch};
use rustix::process::{Pid, Signal, kill_process};

const SOON: Duration = Duration::from_secs(20);

/// What the victim made: its directory, its loop device, its xenstored. The number of a loop
/// device is used again by others, its sequence number (Linux 5.15) is not.
struct Traces {
    base: String,
    loop_number: u32,
    store: String,
    sequence: String,
}

fn start_victim(mounts: &str) -> (Child, Traces) {
    let mut victim = Command::new(helper::binary("harness_victim").unwrap())
        .arg(mounts)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(victim.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let mut words = said.split_whitespace().map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    let (base, number, store, sequence) = (word(), word(), word(), word());
    let loop_number = number.parse().unwrap_or_else(|_| panic!("the victim: {said}"));
    (victim, Traces { base, loop_number, store, sequence })
}

/// What is still there of it.
fn left(traces: &Traces) -> Vec<String> {
    let device = format!("/sys/block/loop{}", traces.loop_number);
    let sequence = fs::read_to_string(format!("{device}/diskseq")).unwrap_or_default();
    let store = format!("/proc/{}/exe", traces.store);
    let mut paths = vec![traces.base.clone(), store];
    if sequence.trim_end() == traces.sequence {
        paths.push(format!("{device}/loop"));
        paths.push(format!("/sys/fs/ext4/loop{}", traces.loop_number));
    }
    let mounts = scratch::mounts_below(&traces.base);
    let paths = paths.into_iter().filter(|path| Path::new(path).exists());
    paths.chain(mounts.iter().map(|mount| format!("mount {}", mount.display()))).collect()
}

fn check(mounts: &str, end: impl FnOnce(&mut Child)) {
    let (mut victim, traces) = start_victim(mounts);
    assert!(left(&traces).len() >= 4, "{:?}", left(&traces));
    end(&mut victim);
    seen(SOON, || left(&traces).is_empty().then_some(()));
    assert_eq!(left(&traces), Vec::<String>::new());
    // Nobody is there to take the unbound device of a killed process away.
    seen(Duration::from_secs(2), || remove_unused(traces.loop_number).ok());
}

fn by_signal(signal: Signal) -> impl FnOnce(&mut Child) {
    move |victim| {
        kill_process(Pid::from_child(victim), signal).unwrap();
        victim.wait().unwrap();
    }
}

#[test]
fn a_killed_process_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    check("shared", by_signal(Signal::KILL));
    check("private", by_signal(Signal::KILL));
}

#[test]
fn an_interrupted_process_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    check("shared", by_signal(Signal::INT));
    check("private", by_signal(Signal::INT));
}

#[test]
fn a_process_that_ends_by_itself_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let (mut victim, traces) = start_victim("shared");
    drop(victim.stdin.take());
    assert!(victim.wait().unwrap().success());
    seen(SOON, || left(&traces).is_empty().then_some(()));
    assert_eq!(left(&traces), Vec::<String>::new());
}

#[test]
fn private_mounts_are_seen_by_one_thread_and_its_children() {
    let Some(_) = requires::root() else { return };
    let folder = scratch::Scratch::new("namespace").unwrap();
    let inside = folder.path().to_owned();
    let thread = thread::spawn(move || {
        enter_private_mounts().unwrap();
        let mounted = Mounted::new(Path::new("none"), &inside, "tmpfs", "size=64k").unwrap();
        fs::write(inside.join("file"), "text").unwrap();
        let child = program::run("cat", &[inside.join("file")]).unwrap();
        (mounted, child)
    });
    let (mounted, child) = thread.join().unwrap();
    assert_eq!(child, "text");
    assert!(!folder.path().join("file").exists());
    // It was unmounted when its thread, the last one inside, ended.
    mounted.forget();
}
