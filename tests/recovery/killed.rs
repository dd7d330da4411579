//! kill -9 of the daemon in each state: the next one ends what the first one began.

use std::collections::BTreeMap;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::random::Random;
use harness::requires;

use crate::stage::{AT, Stage};
use crate::users::with_service;

fn killed_in(state: &str, prepare: impl FnOnce(&Stage), go_on: impl FnOnce(&Stage)) {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    prepare(&stage);
    killed(stage, state, go_on);
}

/// The state is reached because something waits there, and is left when it is let go on.
fn killed(stage: Stage, state: &str, go_on: impl FnOnce(&Stage)) {
    stage.begin_outage();
    if state != "aborted" {
        stage.disk.storage.heal().unwrap();
    }
    killed_now(stage, state, go_on);
}

fn killed_now(mut stage: Stage, state: &str, go_on: impl FnOnce(&Stage)) {
    stage.until(state, |stage| {
        let memory = stage.memory()["volumes"][0]["state"].to_string();
        memory.contains(state).then_some(())
    });
    stage.kill_daemon();
    stage.disk.storage.heal().unwrap();
    go_on(&stage);
    stage.start_daemon();
    stage.until("the volume takes writes again", |stage| stage.takes_writes().then_some(()));
    stage.until_health("healthy");
}

#[test]
fn killed_while_it_waits_for_the_storage() {
    killed_in("aborted", |_| (), |_| ());
}

#[test]
fn killed_while_the_check_runs_and_the_check_goes_on() {
    killed_in("\"fsck\"", Stage::make_checks_wait, |stage| {
        stage.until_check_runs();
        stage.let_check_go_on();
    });
}

#[test]
fn killed_before_it_mounts_the_volume() {
    let real = "/run/programs/mount.real";
    killed_in(
        "\"mount\"",
        |stage| {
            let wait = "while [ ! -e /run/go-on ]; do sleep 0.05; done";
            stage.put_program("mount", &format!("{wait}; exec {real} \"$@\""));
        },
        |stage| {
            assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_err());
            stage.guest.run(": >/run/go-on").unwrap();
        },
    );
}

/// With a service whose systemctl waits at this verb.
fn killed_at(verb: &str, state: &str) {
    let Some(stage) = with_service() else { return };
    stage.guest.run(&format!(": >/run/wait-{verb}")).unwrap();
    killed(stage, state, |stage| {
        stage.until("it waits", |stage| stage.guest.run("test -s /run/waits").ok());
        stage.guest.run(": >/run/go-on").unwrap();
    });
}

#[test]
fn killed_while_it_asks_who_uses_the_volume() {
    killed_at("list-units", "\"list\"");
}

#[test]
fn killed_while_it_stops_the_users() {
    killed_at("stop", "\"stop\"");
}

#[test]
fn killed_while_it_starts_the_users() {
    killed_at("start", "\"start\"");
}

#[test]
fn killed_while_it_shows_that_the_volume_takes_writes() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let real = "/run/programs/mount.real";
    let wait = ": >/run/mounted; while [ ! -e /run/go-on ]; do sleep 0.05; done";
    stage.put_program("mount", &format!("{real} \"$@\" || exit; {wait}"));
    stage.outage();
    stage.until("it is mounted", |stage| stage.guest.run("test -e /run/mounted").ok());
    // From now on every answer comes late, so that the probe takes seconds.
    stage.disk.storage.set(Fault::DelayMs(1000)).unwrap();
    stage.guest.run(": >/run/go-on").unwrap();
    killed_now(stage, "\"probe\"", |_| ());
}

/// A dead volume whose disk takes so long for each answer that a step lasts for seconds.
fn killed_at_slow(state: &str) {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.begin_outage();
    stage.disk.storage.set_all(&Fault::everything(Answer::Ok)).unwrap();
    stage.disk.storage.set(Fault::DelayMs(1500)).unwrap();
    killed_now(stage, state, |_| ());
}

#[test]
fn killed_while_it_confirms_that_the_volume_is_dead() {
    killed_at_slow("\"confirm\"");
}

#[test]
fn killed_while_it_verifies_that_the_disk_is_the_same() {
    killed_at_slow("\"verify\"");
}

/// Whatever state it is killed in: the states come as they come, some of them for milliseconds.
#[test]
fn killed_again_and_again() {
    let Some(mut stage) = with_service() else { return };
    let mut random = Random::from_seed(7);
    let mut met: BTreeMap<String, u32> = BTreeMap::new();
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    // Each step takes its time.
    stage.disk.storage.set(Fault::DelayMs(30)).unwrap();
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(random.below(500)));
        let state = stage.memory()["volumes"][0]["state"].to_string();
        if state.contains("healthy") {
            break;
        }
        let times = met.entry(state).or_default();
        // What is cut off three times is ordered no more.
        if *times < 2 {
            *times += 1;
            let before = stage.daemon_pid();
            stage.kill_daemon();
            stage.start_daemon();
            stage.until("another daemon", |stage| {
                stage.state()["pid"].as_u64().filter(|pid| *pid != before)
            });
        }
    }
    println!("killed in {met:?}");
    stage.disk.storage.heal().unwrap();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
    assert_eq!(stage.guest.run("cat /run/unit").unwrap(), "active\n");
    assert!(met.len() > 2, "{met:?}");
}
