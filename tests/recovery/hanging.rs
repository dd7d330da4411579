//! A storage that stops to answer in the middle of a recovery: children that hang beyond SIGKILL.

use harness::fault::{Answer, Fault};
use harness::requires;

use crate::stage::Stage;

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
