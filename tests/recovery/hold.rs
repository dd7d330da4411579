//! A hold that ends by itself: nothing is done before, and everything after.

use harness::requires;

use crate::stage::{AT, Stage};

#[test]
fn a_hold_with_an_end_keeps_a_dead_volume_as_it_is_and_ends_by_itself() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.begin_outage();
    let ran = stage.xvdguard(&["hold", "--for", "15s", "--why", "a test"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err());
    assert!(ran.out().contains("it ends by itself in 15s"), "{}", ran.out());
    let until_ms =
        stage.until("the hold is seen", |stage| stage.state()["hold"]["until_ms"].as_u64());
    stage.disk.storage.heal().unwrap();
    let status = stage.xvdguard(&["status"]).out();
    assert!(status.contains("; on hold by "), "{status}");
    stage.until_health("healthy");
    let since_ms = stage.state()["volumes"][0]["since_ms"].as_u64().unwrap();
    assert!(since_ms >= until_ms, "{since_ms} is before {until_ms}: {}", stage.said());
    assert!(stage.state()["hold"].is_null(), "{:#}", stage.state());
    let status = stage.xvdguard(&["status"]).out();
    assert!(status.contains(AT) && !status.contains("on hold"), "{status}");
    assert!(stage.takes_writes());
}

#[test]
fn a_hold_that_is_over_is_not_taken_up_by_the_next_daemon() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    // Nobody is there to see its end.
    assert_eq!(stage.xvdguard(&["hold", "--for", "1s"]).code, Some(0));
    stage.guest.run("sleep 1.1; test -s /run/xvdguard/hold").unwrap();
    stage.watch();
    assert!(stage.state()["hold"].is_null(), "{:#}", stage.state());
    stage.outage();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
}
