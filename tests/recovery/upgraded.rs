//! A daemon that is stopped while a recovery runs, as every upgrade does: it ends with the
//! recovery, as long as that goes on.

use harness::fault::{Answer, Fault};
use harness::requires;

use crate::stage::Stage;

/// A volume whose file system check has begun, and waits for `/run/go-on`.
fn at_the_check() -> Option<Stage> {
    requires::faulty_disk("ext4")?;
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.make_checks_wait();
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    stage.until_check_runs();
    Some(stage)
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
    let Some(mut stage) = at_the_check() else { return };
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
    stage.start_daemon();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
}
