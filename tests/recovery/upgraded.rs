//! A daemon that is to be replaced or stopped while a recovery runs: who replaces it waits for the
//! end, and so does the daemon itself, as long as the recovery goes on.

use std::fs;
use std::time::Duration;

use harness::deadline;
use harness::fault::{Answer, Fault};
use harness::program;
use harness::requires;

use crate::stage::Stage;

/// What a maintainer script runs before an upgrade.
const WAIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/wait-for-recovery");

/// A volume whose file system check has begun, and waits for `/run/go-on`.
fn at_the_check() -> Option<Stage> {
    requires::faulty_disk("ext4")?;
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.make_checks_wait();
    let text = fs::read_to_string(WAIT).unwrap();
    stage.put_file("/run/wait-for-recovery", &text);
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    stage.until_check_runs();
    Some(stage)
}

#[test]
fn an_upgrade_waits_for_a_recovery_that_is_running() {
    let Some(stage) = at_the_check() else { return };
    let _upgrade = stage.start("sh /run/wait-for-recovery >/run/waits; : >/run/upgraded");
    stage.until("it says that it waits", |stage| stage.guest.run("test -s /run/waits").ok());
    let is_upgraded = || stage.guest.run("test -e /run/upgraded").ok();
    assert_eq!(deadline::seen(Duration::from_secs(3), is_upgraded), None);
    stage.guest.run(": >/run/go-on").unwrap();
    stage.until("it goes on", |stage| stage.guest.run("test -e /run/upgraded").ok());
    assert!(stage.takes_writes());
    stage.until_health("healthy");
}

/// Nothing is waited for where nothing runs, and for no daemon that is gone.
#[test]
fn an_upgrade_waits_for_nothing_else() {
    let Some(mut stage) = at_the_check() else { return };
    stage.kill_daemon();
    assert_eq!(stage.guest.run("sh /run/wait-for-recovery").unwrap(), "");
    stage.guest.run(": >/run/go-on").unwrap();
    stage.start_daemon();
    stage.until_health("healthy");
    assert_eq!(stage.guest.run("sh /run/wait-for-recovery").unwrap(), "");
    assert_eq!(program::run("sh", &[WAIT]).unwrap(), "", "no daemon has ever run here");
}

#[test]
fn a_daemon_that_is_asked_to_stop_amid_a_recovery_brings_it_to_its_end() {
    let Some(stage) = at_the_check() else { return };
    let daemon = stage.daemon_pid();
    stage.guest.run(&format!("kill -TERM {daemon}")).unwrap();
    stage.until("it says so", |stage| stage.said().contains("asked to stop amid").then_some(()));
    stage.let_check_go_on();
    stage.until("the daemon has ended", |stage| {
        stage.guest.run(&format!("! grep -qa daemon /proc/{daemon}/cmdline")).ok()
    });
    assert!(stage.takes_writes(), "{}", stage.said());
    assert_eq!(stage.said().matches("asked to stop amid").count(), 1, "{}", stage.said());
}

#[test]
fn a_daemon_that_is_asked_to_stop_waits_for_no_disk_that_is_silent() {
    let Some(stage) = at_the_check() else { return };
    let daemon = stage.daemon_pid();
    stage.guest.run(&format!("kill -TERM {daemon}")).unwrap();
    stage.until("it says so", |stage| stage.said().contains("asked to stop amid").then_some(()));
    stage.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
    stage.let_check_go_on();
    stage.until("the daemon has ended", |stage| {
        stage.guest.run(&format!("! grep -qa daemon /proc/{daemon}/cmdline")).ok()
    });
    assert!(stage.said().contains("start xvdguard again"), "{}", stage.said());
    stage.disk.storage.heal().unwrap();
}
