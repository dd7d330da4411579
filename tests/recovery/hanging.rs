//! A storage that stops to answer in the middle of a recovery: children that hang beyond SIGKILL.

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::requires;

use serde_json::Value;

use crate::stage::{AT, Stage};

#[test]
fn a_child_that_hangs_beyond_sigkill_is_counted_and_not_doubled() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.begin_outage();
    stage.disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    // Reads of a loop device are not interrupted by any signal.
    stage.until("a child hangs", |stage| (stage.state()["hanging"] == 1).then_some(()));
    // The daemon is as it was: it hears, and watches everything else.
    let program = harness::programs::xvdguard();
    stage.guest.run(&format!("{} hold --why test", program.display())).unwrap();
    stage.until("the hold is seen", |stage| (!stage.state()["hold"].is_null()).then_some(()));
    stage.guest.run(&format!("{} release", program.display())).unwrap();
    stage.until("the hold is over", |stage| stage.state()["hold"].is_null().then_some(()));
    assert_eq!(stage.state()["hanging"], 1, "{}", stage.said());
    stage.disk.storage.heal().unwrap();
    stage.until_health("healthy");
    stage.until("nothing hangs", |stage| (stage.state()["hanging"] == 0).then_some(()));
    assert!(stage.takes_writes());
}

/// A volume's child cannot be killed, and meanwhile another one dies and is brought back.
#[test]
fn while_a_child_hangs_another_volume_is_brought_back() {
    const OTHER: &str = "/run/other";
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let other = FaultyDisk::formatted("ext4").unwrap();
    let mut stage = Stage::beside("ext4", &[&other]);
    let node = other.device.node().display().to_string();
    stage.guest.run(&format!("mkdir {OTHER} && mount -t ext4 {node} {OTHER}")).unwrap();
    stage.start_daemon();
    stage.until("both are known", |stage| {
        let memory = stage.memory();
        let volumes = memory["volumes"].as_array()?;
        let is_known = |volume: &&Value| !volume["identity"].is_null();
        (volumes.iter().filter(is_known).count() == 2).then_some(())
    });
    let begin_outage = |disk: &FaultyDisk, at: &str| {
        disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
        stage.until("it is dead", |stage| {
            stage.guest.stir(at);
            (stage.health_of(at) == "aborted").then_some(())
        });
    };
    begin_outage(&stage.disk, AT);
    stage.disk.storage.set_all(&Fault::everything(Answer::Hang)).unwrap();
    stage.until("a child hangs", |stage| (stage.state()["hanging"] == 1).then_some(()));
    begin_outage(&other, OTHER);
    other.storage.heal().unwrap();
    stage.until("the other is back", |stage| (stage.health_of(OTHER) == "healthy").then_some(()));
    assert!(stage.guest.run(&format!(": >{OTHER}/new && sync {OTHER}/new")).is_ok());
    assert_eq!(stage.state()["hanging"], 1, "{}", stage.said());
    assert_eq!(stage.health_of(AT), "aborted");
    stage.disk.storage.heal().unwrap();
    stage.until("both are healthy", |stage| (stage.health_of(AT) == "healthy").then_some(()));
}
