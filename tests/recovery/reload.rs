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
