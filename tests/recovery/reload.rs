//! A configuration that is read again while the daemon runs, from a place that does not answer.

use harness::requires;

use crate::stage::Stage;

const PIPE: &str = "/run/pipe";

#[test]
fn a_named_configuration_that_does_not_answer_costs_nothing_but_its_news() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.guest.run(&format!("mkfifo {PIPE}")).unwrap();
    stage.options = vec!["--config".into(), PIPE.into()];
    let feed = |stage: &Stage, text: &str| {
        stage.put_file("/run/config.toml", text);
        stage.start(&format!("cat /run/config.toml >{PIPE}"))
    };
    let _first = feed(&stage, "[recovery]\nsettle = \"1s\"\n");
    stage.watch();
    let reload = |stage: &Stage| {
        stage.guest.run(&format!("kill -HUP {}", stage.daemon_pid())).unwrap();
    };
    // Nobody writes to the pipe.
    reload(&stage);
    stage.until("the reader was given up", |stage| {
        stage.said().contains("what was in force stays in force").then_some(())
    });
    stage.outage();
    stage.until_health("healthy");
    let _second = feed(&stage, "[recovery]\nsettle = \"2s\"\n");
    reload(&stage);
    stage.until("the configuration was read", |stage| {
        stage.said().contains("was read again").then_some(())
    });
}

/// What `xvdguard-early boot` leaves where its image carries the policy of another hash.
fn early_boot_ran_with(stage: &Stage, hash: &str) {
    let boot_id = stage.guest.run("cat /proc/sys/kernel/random/boot_id").unwrap();
    stage.guest.run("mkdir -p /run/xvdguard").unwrap();
    stage.put_file(
        "/run/xvdguard/early.json",
        &format!(
            r#"{{"schema":1,"tool":"xvdguard-early","version":"0.1.0","boot_id":"{}","boot_ms":1,
            "time":null,"policy_hash":{hash},"disks":[],"said":[],"xenstore":null}}"#,
            boot_id.trim()
        ),
    );
}

/// The daemon decides by the files as they are now, whatever was frozen into the image.
#[test]
fn an_image_with_another_policy_is_told_once() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    early_boot_ran_with(&stage, "\"0123456789abcdef\"");
    stage.watch();
    let told = |stage: &Stage| stage.said().matches("an initramfs that was rebuilt").count();
    assert_eq!(told(&stage), 1, "{}", stage.said());
    stage.configure("[recovery]\nsettle = \"1s\"\n[daemon]\ntick = \"20s\"\n");
    stage.guest.run(&format!("kill -HUP {}", stage.daemon_pid())).unwrap();
    stage.until("the configuration was read", |stage| {
        stage.said().contains("was read again").then_some(())
    });
    assert_eq!(told(&stage), 1, "once as long as it is so: {}", stage.said());
}
