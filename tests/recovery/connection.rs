//! A connection to xenstore that breaks: the daemon makes a new one, and knows of the host again.

use std::os::unix::fs::symlink;

use harness::requires;
use harness::xenstored::Xenstored;

use crate::stage::Stage;

const HOLD: &str = "/local/domain/0/data/xvdguard/hold";

/// A listener that xenstored leaves behind is of no use: the second stands ready before the first
/// ends. The next tick is too late to be what helped.
#[test]
fn the_host_is_heard_again_at_once_when_the_connection_breaks() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut stage = Stage::new("ext4");
    let first = begin(&mut stage, "10min");
    let second = Xenstored::start().unwrap();
    become_xenstore(&stage, &second);
    second.write(HOLD, "maintenance").unwrap();
    drop(first);
    until_held(&stage, "maintenance");
    assert!(stage.said().contains("the connection to xenstore broke"), "{}", stage.said());
}

#[test]
fn the_host_is_heard_again_in_a_tick_after_xenstore_was_away() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut stage = Stage::new("ext4");
    drop(begin(&mut stage, "5s"));
    stage.until("the loss", |stage| {
        stage.said().contains("the connection to xenstore broke").then_some(())
    });
    let second = Xenstored::start().unwrap();
    become_xenstore(&stage, &second);
    second.write(HOLD, "maintenance").unwrap();
    until_held(&stage, "maintenance");
}

/// A tick in peace reads counters, and nothing that somebody tells of: an answer of the host would
/// wake the daemon once more.
#[test]
fn a_tick_in_peace_asks_for_nothing_that_is_told() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let Some(_) = requires::program("strace") else { return };
    let mut stage = Stage::new("ext4");
    let xenstored = begin(&mut stage, "5s");
    let calls = "trace=openat,sendto,ppoll";
    let strace = format!("strace -qq -e {calls} -o /run/trace -p {}", stage.daemon_pid());
    stage.guest.run(&format!("timeout 22 {strace} || [ $? = 124 ]")).unwrap();
    let calls = std::fs::read_to_string(stage.guest.within("/run/trace")).unwrap();
    // The one wait for everything waits for mounts as well. A disk of another test that comes or
    // goes makes the daemon look at everything, and then it asks.
    let is_turn = |turn: &&str| turn.contains("proc/diskstats") && !turn.contains("sys/bus/xen");
    let turns: Vec<&str> = calls.split("POLLPRI").filter(is_turn).collect();
    assert!(turns.iter().all(|turn| !turn.contains("sendto")), "xenstore was asked: {turns:?}");
    // A line of the kernel log makes the daemon look at more.
    let told = ["sys/block", "run/xvdguard/hold"];
    let is_quiet = |turn: &&&str| told.iter().all(|path| !turn.contains(path));
    assert!(
        turns.iter().any(|turn| is_quiet(&turn)),
        "no tick asked for counters alone: {turns:?}"
    );
    assert_eq!(stage.state()["hold"]["mark"], "1");
    xenstored.write(HOLD, "2").unwrap();
    until_held(&stage, "2");
}

/// A daemon that hears a first xenstored.
fn begin(stage: &mut Stage, tick: &str) -> Xenstored {
    let first = Xenstored::start().unwrap();
    become_xenstore(stage, &first);
    stage.configure(&format!("[daemon]\ntick = \"{tick}\"\n[recovery]\nsettle = \"1s\"\n"));
    stage.options = vec!["--xenstore".into(), "/run/xenstore".into()];
    stage.watch();
    first.write(HOLD, "1").unwrap();
    until_held(stage, "1");
    first
}

fn become_xenstore(stage: &Stage, xenstored: &Xenstored) {
    let socket = stage.guest.within("/run/xenstore");
    let _ = std::fs::remove_file(&socket);
    symlink(xenstored.socket(), &socket).unwrap();
}

fn until_held(stage: &Stage, wanted: &str) {
    let mark = |stage: &Stage| stage.state()["hold"]["mark"].as_str().map(str::to_owned);
    stage.until(wanted, |stage| mark(stage).filter(|mark| mark == wanted));
}
