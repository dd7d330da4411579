//! A reboot that is announced: whoever logs in or reads the kernel log hears of it while there is
//! time, and a hold prevents it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;

use harness::requires;
use serde_json::{Value, json};

use crate::stage::{AT, Stage};

/// Where the message of the day is.
const MOTD: &str = "/run/motd.d/60-xvdguard";
/// What is said of it.
pub const TOLD: &str = "/var/lib: the guest reboots in 3600 s";

/// A watched guest that lives on its volume, has been booted before, and has an hour until it is
/// rebooted: the jitter that its last daemon drew.
pub fn rebooted_before() -> Stage {
    let mut stage = Stage::new("ext4");
    stage.configure("[reboot]\nsettle = \"1s\"\njitter = \"1h\"\n");
    let line = format!(
        "mount --bind {AT} /var/lib && umount {AT} && rmdir {AT} && ln -s /var/lib {AT} && \
         mkdir /var/lib/xvdguard"
    );
    stage.guest.run(&line).unwrap();
    stage.watch();
    stage.kill_daemon();
    let mut memory = stage.memory();
    let record = |boot: &Value, ended_well: bool| {
        let domain = &memory["domain"];
        json!({
            "boot_id": boot, "uuid": domain["uuid"], "machine_id": domain["machine_id"],
            "began_s": 1_700_000_000, "ended_well": ended_well,
        })
    };
    let (earlier, ours) = (record(&"earlier".into(), true), record(&memory["boot_id"], false));
    stage.put_file("/var/lib/xvdguard/boots", &json!([earlier, ours]).to_string());
    stage.guest.run("sync /var/lib/xvdguard/boots").unwrap();
    memory["record"]["written"] = ours;
    memory["jitter_ms"] = json!(3_600_000);
    stage.put_file("/run/xvdguard/memory.json", &memory.to_string());
    stage.watch();
    stage
}

/// The kernel log from now on.
fn kernel_log() -> File {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let mut log = OpenOptions::new().read(true).custom_flags(flags).open("/dev/kmsg").unwrap();
    log.seek(SeekFrom::End(0)).unwrap();
    log
}

/// Whether one of the next records says so.
fn says(log: &mut File, words: &str) -> bool {
    let mut buffer = [0; 8192];
    while let Ok(length) = log.read(&mut buffer) {
        if String::from_utf8_lossy(&buffer[..length]).contains(words) {
            return true;
        }
    }
    false
}

#[test]
fn a_pending_reboot_is_told_in_time_and_a_hold_prevents_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = rebooted_before();
    let mut log = kernel_log();
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    stage.until_health("reboot-pending");
    assert_eq!(stage.said().matches(TOLD).count(), 1, "{}", stage.said());
    stage.until("the kernel log has it", |_| {
        says(&mut log, &format!("xvdguard: {TOLD}")).then_some(())
    });
    let motd = stage.until("it is there", |stage| stage.guest.run(&format!("cat {MOTD}")).ok());
    let begin = "xvdguard: /var/lib is reboot-pending: reboots the guest in ";
    let left = motd.strip_prefix(begin).and_then(|rest| rest.strip_suffix(" s\n"));
    assert!((3000..=3600).contains(&left.unwrap_or_default().parse().unwrap_or(0)), "{motd}");
    assert_eq!(stage.xvdguard(&["hold"]).code, Some(0));
    stage.until_health("aborted");
    stage.until("it is gone", |stage| stage.guest.run(&format!("test ! -e {MOTD}")).ok());
    assert!(stage.guest.is_up());
    assert_eq!(stage.guest.sysrq(), "");
}
