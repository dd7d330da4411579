//! The later half of the barrier job: the daemon brings fstab into line once a boot is healthy.

use harness::{programs, requires};

use crate::stage::{AT, Stage};

/// What early boot leaves; only that it ran in this boot matters here.
fn put_early_report(stage: &Stage) {
    let boot_id = stage.guest.run("cat /proc/sys/kernel/random/boot_id").unwrap();
    let report = serde_json::json!({
        "schema": 1, "tool": "xvdguard-early", "version": "0", "boot_id": boot_id.trim(),
        "boot_ms": 1, "time": null, "disks": [],
    });
    stage.put_file("/run/xvdguard/early.json", &report.to_string());
}

fn fstab(stage: &Stage) -> String {
    stage.guest.run("cat /etc/fstab").unwrap()
}

fn configure(stage: &Stage, mode: &str, more: &str) {
    let text = format!("[barrier]\nmode = \"{mode}\"\n{more}[reboot]\nminimum_uptime = \"1min\"\n");
    stage.configure(&text);
}

/// Runs a command of xvdguard's that must succeed, and returns what it printed.
fn xvdguard(stage: &Stage, word: &str) -> String {
    let ran = stage.guest.command(programs::xvdguard()).arg(word).output().unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{word}: {said}");
    said
}

/// A guest whose volume stands in fstab.
fn guest() -> (Stage, String) {
    let stage = Stage::new("ext4");
    let node = stage.disk.device.node().display().to_string();
    let before = format!("# ours\n{node}\t{AT}  ext4  noatime 0 2\n");
    stage.put_file("/etc/fstab", &before);
    put_early_report(&stage);
    (stage, before)
}

#[test]
fn fstab_follows_the_policy_after_a_healthy_boot_and_back_again() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let (mut stage, before) = guest();
    configure(&stage, "off", "");
    stage.watch();
    stage.until("the option is there", |stage| {
        fstab(stage).contains("noatime,barrier=0 0 2").then_some(())
    });
    stage.until("it is told, with the way back", |stage| {
        stage.said().contains("xvdguard revert").then_some(())
    });
    // The administrator thinks better of it.
    configure(&stage, "on", "");
    stage.until("our edit is taken back", |stage| (fstab(stage) == before).then_some(()));
}

#[test]
fn what_a_person_takes_back_is_not_written_again_until_somebody_applies_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let (mut stage, before) = guest();
    configure(&stage, "off", "");
    stage.watch();
    stage.until("the option is there", |stage| fstab(stage).contains("barrier=0").then_some(()));
    let said = xvdguard(&stage, "revert");
    assert!(said.contains("the daemon leaves fstab alone from now on"), "{said}");
    assert_eq!(fstab(&stage), before);
    // Whatever makes it think again: another configuration, and an incident.
    configure(&stage, "off", "lever = \"mount\"\n");
    stage.until("the configuration was read", |stage| {
        stage.said().contains("was read again").then_some(())
    });
    stage.outage();
    stage.until_health("healthy");
    assert_eq!(fstab(&stage), before);
    xvdguard(&stage, "apply");
    assert!(fstab(&stage).contains("barrier=0"));
}

#[test]
fn a_line_that_comes_later_is_seen() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let (mut stage, before) = guest();
    stage.put_file("/etc/fstab", "# nothing yet\n");
    configure(&stage, "off", "");
    stage.watch();
    stage.until("the daemon has looked once", |stage| {
        stage.state()["volumes"][0].is_object().then_some(())
    });
    stage.put_file("/etc/fstab", &before);
    stage.until("the option is there", |stage| fstab(stage).contains("barrier=0").then_some(()));
}

#[test]
fn where_the_policy_says_never_or_early_boot_was_not_there_fstab_is_left_alone() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let (mut stage, before) = guest();
    configure(&stage, "off", "rewrite_fstab = \"never\"\n");
    stage.watch();
    // A whole recovery later, which is more than enough turns.
    stage.outage();
    stage.until_health("healthy");
    assert_eq!(fstab(&stage), before);
    stage.guest.run("rm /run/xvdguard/early.json").unwrap();
    configure(&stage, "off", "");
    stage.until("the configuration was read", |stage| {
        stage.said().contains("was read again").then_some(())
    });
    stage.until("the volume is known again", |stage| {
        (!stage.memory()["volumes"][0]["identity"].is_null()).then_some(())
    });
    assert_eq!(fstab(&stage), before);
}
