//! The init script where there is no systemd: it starts, reloads and ends the daemon, and waits for
//! a recovery that is running.

use harness::{programs, requires};

use crate::stage::{AT, Stage};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../packaging/sysvinit/xvdguard");

/// A guest where the program lies where the package has it, and nothing of systemd is there.
fn installed() -> Stage {
    let stage = Stage::new("ext4");
    let program = programs::xvdguard().display().to_string();
    let line = format!(
        "mkdir /run/upper /run/work && mount -t overlay overlay \
         -o lowerdir=/usr/sbin,upperdir=/run/upper,workdir=/run/work /usr/sbin && \
         cp {program} /usr/sbin/xvdguard"
    );
    stage.guest.run(&line).unwrap();
    stage
}

/// What the script's verb ends with.
fn ends(stage: &Stage, verb: &str) -> i32 {
    let mut command = stage.guest.command("sh");
    let status = command.args([SCRIPT, verb]).env_remove("JOURNAL_STREAM").status().unwrap();
    status.code().unwrap()
}

/// LSB's code of a `status` that finds nothing running, and no pid file.
const NOT_RUNNING: i32 = 3;

#[test]
fn the_script_starts_reloads_and_stops_the_daemon() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = installed();
    assert_eq!(ends(&stage, "status"), NOT_RUNNING);
    assert_eq!(ends(&stage, "start"), 0);
    stage.until_health("healthy");
    // Twice is once.
    assert_eq!(ends(&stage, "start"), 0);
    let first = stage.daemon_pid();
    assert_eq!([ends(&stage, "status"), ends(&stage, "reload")], [0, 0]);
    assert_eq!(ends(&stage, "restart"), 0);
    stage.until("another runs", |stage| (stage.daemon_pid() != first).then_some(()));
    assert_eq!([ends(&stage, "stop"), ends(&stage, "status")], [0, NOT_RUNNING]);
    // The keeper ends as soon as it sees that.
    stage.until("nothing of it is left", |stage| stage.guest.run("pidof xvdguard").err());
    assert_eq!(ends(&stage, "stop"), 0);
}

#[test]
fn a_stop_waits_for_the_recovery_that_is_running() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = installed();
    stage.make_checks_wait();
    assert_eq!(ends(&stage, "start"), 0);
    stage.until("the daemon knows the volume", |stage| {
        (!stage.memory()["volumes"][0]["identity"].is_null()).then_some(())
    });
    stage.outage();
    stage.until_check_runs();
    let mut stop = stage.start(&format!("sh {SCRIPT} stop; echo $? >/run/stopped"));
    stage.guest.run("sleep 1; test ! -e /run/stopped").unwrap();
    stage.let_check_go_on();
    stage.until("the script has ended", |stage| stage.guest.run("test -s /run/stopped").ok());
    assert_eq!(stage.guest.run("cat /run/stopped").unwrap().trim(), "0");
    assert!(stage.takes_writes(), "{}", stage.said());
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    stop.kill();
}
