//! kill -9 of the daemon while nothing is done, or nothing any more: the next one does not act, and
//! what was handed over is told once.

use harness::fault::{Answer, Fault};
use harness::requires;

use crate::pending::{self, rebooted_before};
use crate::stage::{AT, Stage};
use crate::users::with_service;

/// Once the volume is so for the next daemon as well.
fn killed(stage: &mut Stage, health: &str) {
    stage.until_health(health);
    let before = stage.daemon_pid();
    stage.kill_daemon();
    stage.start_daemon();
    stage.until("another daemon", |stage| {
        stage.state()["pid"].as_u64().filter(|pid| *pid != before)
    });
    stage.until_health(health);
}

fn told(stage: &Stage, words: &str) -> usize {
    stage.said().matches(words).count()
}

/// Where it is mounted, since when: another number would be another mount.
fn mount(stage: &Stage) -> String {
    stage.guest.run(&format!("grep ' {AT} ' /proc/self/mountinfo")).unwrap()
}

#[test]
fn killed_while_the_storage_is_silent() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    let before = mount(&stage);
    stage.disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    let _writer = stage.start(&format!(": >{AT}/late && sync {AT}/late && : >/run/written"));
    killed(&mut stage, "stalled");
    assert_eq!(told(&stage, "stalled: "), 1, "{}", stage.said());
    stage.disk.storage.heal().unwrap();
    stage.until("it is written", |stage| stage.guest.run("test -e /run/written").ok());
    stage.until_health("healthy");
    assert_eq!(mount(&stage), before);
}

#[test]
fn killed_while_the_storage_fails_and_the_journal_lives() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.guest.run(&format!("head -c 1M /dev/urandom >{AT}/data && sync {AT}")).unwrap();
    stage.watch();
    let before = mount(&stage);
    stage.disk.storage.set(Fault::Read(Answer::Eio)).unwrap();
    let line = format!("dd if={AT}/data of=/dev/null bs=64k count=1 iflag=direct");
    assert!(stage.guest.run(&line).is_err());
    killed(&mut stage, "erring");
    stage.disk.storage.heal().unwrap();
    stage.until_health("healthy");
    assert_eq!(mount(&stage), before);
    assert!(stage.takes_writes());
}

#[test]
fn killed_after_it_was_handed_over() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.put_program("e2fsck", "echo run >>/run/checks; exit 4");
    stage.outage();
    killed(&mut stage, "given-up");
    assert_eq!(told(&stage, "given-up: "), 1, "{}", stage.said());
    assert_eq!(stage.guest.run("cat /run/checks").unwrap(), "run\n");
}

#[test]
fn killed_while_it_gives_back_what_it_could_not_unmount() {
    let Some(mut stage) = with_service() else { return };
    // This test is a process of the machine below, which nobody sees inside.
    stage.guest.run(&format!(": >{AT}/open && sync {AT}/open && : >/run/wait-start")).unwrap();
    let holder = std::fs::File::open(stage.guest.within(&format!("{AT}/open"))).unwrap();
    stage.outage();
    stage.until("it is given back", |stage| {
        stage.memory()["volumes"][0]["state"].to_string().contains("put-back").then_some(())
    });
    stage.until("its start waits", |stage| stage.guest.run("test -s /run/waits").ok());
    stage.kill_daemon();
    stage.guest.run(": >/run/go-on").unwrap();
    stage.start_daemon();
    stage.until_health("given-up");
    assert_eq!(stage.guest.run("cat /run/unit").unwrap(), "active\n");
    assert_eq!(told(&stage, "given-up: "), 1, "{}", stage.said());
    drop(holder);
}

#[test]
fn killed_while_a_reboot_is_pending() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = rebooted_before();
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    killed(&mut stage, "reboot-pending");
    // Each of them once at most: the next one tells it anew where its disks had to be asked anew.
    assert!((1..=2).contains(&told(&stage, pending::TOLD)), "{}", stage.said());
    assert_eq!(stage.xvdguard(&["hold"]).code, Some(0));
    stage.until_health("aborted");
    assert!(stage.guest.is_up());
    assert_eq!(stage.guest.sysrq(), "");
}
