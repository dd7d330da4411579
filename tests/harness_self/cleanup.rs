//! A process of the harness is killed in the middle of everything; nothing of it stays.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::deadline::seen;
use harness::loop_device::remove_unused;
use harness::namespace::enter_private_mounts;
use harness::{helper, requires, scratch};
use rustix::process::{Pid, Signal, kill_process};

const SOON: Duration = Duration::from_secs(20);

/// What the victim made: its directory, its loop device, its xenstored.
struct Traces {
    base: String,
    disk: String,
    store: String,
}

fn start_victim(mounts: &str) -> (Child, Traces) {
    let mut victim = Command::new(helper::binary("harness_victim").unwrap())
        .arg(mounts)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(victim.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let words: Vec<_> = said.split_whitespace().map(str::to_owned).collect();
    let [base, disk, store] = words.try_into().unwrap_or_else(|_| panic!("the victim: {said}"));
    (victim, Traces { base, disk, store })
}

/// What is still there of it.
fn left(traces: &Traces) -> Vec<String> {
    let backing = format!("/sys/block/{}/loop", traces.disk);
    let volume = format!("/sys/fs/ext4/{}", traces.disk);
    let store = format!("/proc/{}/exe", traces.store);
    let paths = [traces.base.clone(), backing, volume, store];
    let mounts = scratch::mounts_below(&traces.base);
    let paths = paths.into_iter().filter(|path| Path::new(path).exists());
    paths.chain(mounts.iter().map(|mount| format!("mount {}", mount.display()))).collect()
}

fn nothing_is_left_after(signal: Signal, mounts: &str) {
    let (mut victim, traces) = start_victim(mounts);
    assert!(left(&traces).len() >= 4, "{:?}", left(&traces));
    kill_process(Pid::from_child(&victim), signal).unwrap();
    victim.wait().unwrap();
    let gone = seen(SOON, || left(&traces).is_empty().then_some(()));
    assert_eq!(left(&traces), Vec::<String>::new(), "after {signal:?}");
    gone.unwrap();
    remove_unused(traces.disk.trim_start_matches("loop").parse().unwrap()).unwrap();
}

#[test]
fn a_killed_process_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    nothing_is_left_after(Signal::KILL, "shared");
    nothing_is_left_after(Signal::INT, "shared");
}

#[test]
fn a_killed_process_with_private_mounts_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    nothing_is_left_after(Signal::KILL, "private");
    nothing_is_left_after(Signal::INT, "private");
}

#[test]
fn private_mounts_are_seen_by_one_thread_and_its_children() {
    let Some(_) = requires::root() else { return };
    let folder = scratch::Scratch::new("namespace").unwrap();
    let inside = folder.path().to_owned();
    let thread = std::thread::spawn(move || {
        enter_private_mounts().unwrap();
        let mounted =
            harness::mount::Mounted::new(Path::new("none"), &inside, "tmpfs", "size=64k").unwrap();
        fs::write(inside.join("file"), "text").unwrap();
        let child = harness::program::run("cat", &[inside.join("file")]).unwrap();
        (mounted, child)
    });
    let (mounted, child) = thread.join().unwrap();
    assert_eq!(child, "text");
    assert!(!folder.path().join("file").exists());
    // It was unmounted when its thread, the last one inside, ended.
    mounted.forget();
}
