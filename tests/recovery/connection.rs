//! A connection to xenstore that breaks: the daemon makes a new one, and knows of the host again.

use std::os::unix::fs::symlink;

use harness::requires;
use harness::xenstored::Xenstored;

use crate::stage::Stage;

const HOLD: &str = "/local/domain/0/data/xvdguard/hold";

#[test]
fn the_host_is_heard_again_after_xenstore_was_started_anew() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let mut stage = Stage::new("ext4");
    let socket = stage.guest.within("/run/xenstore");
    let first = Xenstored::start().unwrap();
    symlink(first.socket(), &socket).unwrap();
    stage.configure("[daemon]\ntick = \"5s\"\n[recovery]\nsettle = \"1s\"\n");
    stage.options = vec!["--xenstore".into(), "/run/xenstore".into()];
    stage.watch();
    first.write(HOLD, "1").unwrap();
    stage.until("the hold", |stage| (stage.state()["hold"]["by"] == "host").then_some(()));
    first.write(HOLD, "0").unwrap();
    drop(first);
    let second = Xenstored::start().unwrap();
    std::fs::remove_file(&socket).unwrap();
    symlink(second.socket(), &socket).unwrap();
    second.write(HOLD, "maintenance").unwrap();
    let mark = |stage: &Stage| stage.state()["hold"]["mark"].as_str().map(str::to_owned);
    stage.until("the new hold", |stage| mark(stage).filter(|mark| mark == "maintenance"));
}
