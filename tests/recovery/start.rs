//! What the daemon finds out at start: programs that a recovery would miss, a configuration that
//! is wrong, the super block of each volume.

use std::path::Path;
use std::thread;
use std::time::Duration;

use harness::deadline;
use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::{program, requires};

use crate::stage::{AT, Stage};

/// Long before a disk that does not answer is asked again.
const WITHIN: Duration = Duration::from_secs(20);

/// Takes a program away from the guest.
fn remove_program(stage: &Stage, name: &str) {
    let Some(path) = program::find(name) else { return };
    let folder = path.parent().unwrap_or(Path::new("/")).display().to_string();
    let line = format!(
        "mkdir /run/{name}.upper /run/{name}.work && mount -t overlay overlay \
         -o lowerdir={folder},upperdir=/run/{name}.upper,workdir=/run/{name}.work {folder} && \
         rm {}",
        path.display()
    );
    stage.guest.run(&line).unwrap();
}

#[test]
fn programs_that_a_recovery_would_miss_are_told_at_start() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    // What systemd leaves where it runs.
    stage.guest.run("mkdir -p /run/systemd/system").unwrap();
    let missing = ["e2fsck", "systemctl"];
    missing.iter().for_each(|name| remove_program(&stage, name));
    stage.watch();
    let status = stage.xvdguard(&["status", "--json"]).out();
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let text = stage.xvdguard(&["status"]).out();
    let shown = status["daemon"]["missing"].as_array().unwrap();
    for name in missing {
        let begin = format!("there is no {name}: ");
        let told = format!("will have to do without: {begin}");
        assert_eq!(stage.said().matches(&told).count(), 1, "{}", stage.said());
        assert_eq!(text.matches(&told).count(), 1, "{text}");
        let is_it = |line: &&serde_json::Value| line.as_str().unwrap().starts_with(&begin);
        assert_eq!(shown.iter().filter(is_it).count(), 1, "{shown:?}");
    }
    let rehearsed = stage.xvdguard(&["rehearse", AT]);
    assert_eq!(rehearsed.code, Some(1));
    assert!(rehearsed.out().contains("NO  there is no e2fsck: "), "{}", rehearsed.out());
}

#[test]
fn where_every_program_is_there_none_is_missed() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    assert!(!stage.said().contains("there is no "), "{}", stage.said());
}

#[test]
fn with_a_wrong_configuration_a_dead_volume_is_only_reported() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.configure("[recovery]\nsettle = 7\n");
    stage.watch();
    let said = stage.said();
    assert!(said.contains("error: ") && said.contains("config.toml:2"), "{said}");
    assert_eq!(said.matches("this daemon watches and reports only").count(), 1, "{said}");
    stage.begin_outage_until("given-up");
    stage.disk.storage.heal().unwrap();
    let told = stage.said().lines().filter(|line| line.contains("given-up: ")).count();
    assert_eq!(told, 1, "{}", stage.said());
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    assert!(!stage.takes_writes());
    // The person mends it, and says so.
    stage.configure("[recovery]\nsettle = \"1s\"\n");
    stage.guest.run(&format!("kill -HUP {}", stage.daemon_pid())).unwrap();
    stage.until("it is read", |stage| stage.said().contains("was read again").then_some(()));
    assert_eq!(stage.xvdguard(&["release", AT]).code, Some(0));
    stage.until("the volume takes writes", |stage| stage.takes_writes().then_some(()));
}

/// Four super blocks are read at a time; all four come to their ends while the daemon sleeps. Then
/// nothing would wake it but the question 30 s later whether these disks have stalled.
#[test]
fn every_super_block_is_read_although_the_first_four_end_at_once() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let others: Vec<FaultyDisk> = (0..5).map(|_| FaultyDisk::formatted("ext4").unwrap()).collect();
    let mut stage = Stage::beside("ext4", &others.iter().collect::<Vec<_>>());
    stage.configure("[daemon]\ntick = \"10m\"\n");
    for (number, other) in others.iter().enumerate() {
        let (node, at) = (other.device.node().display(), format!("/run/other-{number}"));
        stage.guest.run(&format!("mkdir {at} && mount -t ext4 {node} {at}")).unwrap();
    }
    let hang = Fault::Read(Answer::Hang);
    others.iter().chain([&stage.disk]).for_each(|disk| disk.storage.set(hang).unwrap());
    stage.start_daemon();
    let count = |stage: &Stage, key: &str| {
        let memory = stage.memory();
        let volumes = memory["volumes"].as_array().map(Vec::as_slice).unwrap_or_default();
        volumes.iter().filter(|volume| !volume[key].is_null()).count()
    };
    stage.until("four are being read", |stage| (count(stage, "job") == 4).then_some(()));
    let pid = stage.daemon_pid();
    stage.guest.run(&format!("kill -STOP {pid}")).unwrap();
    others.iter().chain([&stage.disk]).for_each(|disk| disk.storage.heal().unwrap());
    thread::sleep(Duration::from_millis(500));
    stage.guest.run(&format!("kill -CONT {pid}")).unwrap();
    let known = deadline::seen(WITHIN, || (count(&stage, "identity") == 6).then_some(()));
    assert!(known.is_some(), "{:#}", stage.memory());
}
