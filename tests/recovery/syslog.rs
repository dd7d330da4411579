//! What the daemon says reaches syslog where there is no journal.

use std::os::unix::net::UnixDatagram;

use harness::requires;

use crate::stage::{SOON, Stage};

#[test]
fn without_a_journal_syslog_hears_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    // A /dev of its own, whose nodes are the real ones: the real /dev/log is not to be touched.
    let disk = stage.disk.device.node().display();
    let nodes = format!("/dev/kmsg /dev/null /dev/fuse /dev/loop-control {disk}");
    stage
        .guest
        .run(&format!(
            "mkdir /run/dev && mount -t tmpfs tmpfs /run/dev && cp -a {nodes} /run/dev && \
             mount --move /run/dev /dev"
        ))
        .unwrap();
    let log = UnixDatagram::bind(stage.guest.within("/dev/log")).unwrap();
    log.set_read_timeout(Some(SOON)).unwrap();
    stage.watch();
    let pid = stage.daemon_pid();
    stage.outage();
    let heard = |words: &str| {
        let mut buffer = [0; 4096];
        loop {
            let length = log.recv(&mut buffer).unwrap();
            let line = String::from_utf8_lossy(&buffer[..length]).into_owned();
            // Facility daemon: 3 * 8, and a level.
            let is_form = line.starts_with("<2") && line.contains(&format!(">xvdguard[{pid}]: "));
            assert!(is_form, "{line}");
            if line.contains(words) {
                return line;
            }
        }
    };
    // LOG_DAEMON and LOG_NOTICE (syslog(3)).
    assert!(heard("aborted").starts_with("<29>"));
    stage.until_health("healthy");
    heard("kept in");
}
