//! An outage of some seconds, and the volume is back without anybody asked.

use harness::fault::{Answer, Fault};
use harness::requires;

use crate::stage::{AT, Stage};

fn comes_back(fstype: &str) {
    let Some(_) = requires::faulty_disk(fstype) else { return };
    let mut stage = Stage::new(fstype);
    stage.guest.run(&format!("echo kept >{AT}/kept && sync {AT}/kept")).unwrap();
    stage.watch();
    // It opens and closes a file for each line, as loggers and shell scripts do.
    let _writer = stage.start(&format!(
        "while :; do [ ! -e {AT}/kept ] || echo line >>{AT}/log; sleep 0.05; done"
    ));
    stage.outage();
    stage.until("the volume takes writes again", |stage| stage.takes_writes().then_some(()));
    stage.until_health("healthy");
    assert_eq!(stage.guest.run(&format!("cat {AT}/kept")).unwrap(), "kept\n");
    let said = stage.said();
    assert!(said.contains(AT), "{said}");
}

#[test]
fn an_ext4_is_brought_back_without_anybody_asked() {
    comes_back("ext4");
}

#[test]
fn an_ext3_is_brought_back_without_anybody_asked() {
    comes_back("ext3");
}

#[test]
fn an_xfs_is_brought_back_without_anybody_asked() {
    comes_back("xfs");
}

#[test]
fn a_btrfs_is_brought_back_without_anybody_asked() {
    comes_back("btrfs");
}

#[test]
fn nothing_is_unmounted_while_reads_work_and_writes_do_not() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.guest.run(&format!("echo kept >{AT}/kept && sync {AT}/kept")).unwrap();
    stage.watch();
    stage.begin_outage();
    stage.disk.storage.set(Fault::Read(Answer::Ok)).unwrap();
    stage.until("it has tried to write", |stage| {
        let said = stage.said();
        let is_it = |line: &str| line.contains("cannot write") && line.contains("dev/");
        said.lines().any(is_it).then_some(())
    });
    assert_eq!(stage.guest.run(&format!("cat {AT}/kept")).unwrap(), "kept\n");
    stage.disk.storage.heal().unwrap();
    stage.until("the volume takes writes again", |stage| stage.takes_writes().then_some(()));
    stage.until_health("healthy");
}

#[test]
fn a_second_outage_within_the_budget_is_survived_as_well() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    for _ in 0..2 {
        stage.outage();
        stage.until("the volume takes writes again", |stage| stage.takes_writes().then_some(()));
        stage.until("its super block is known again", |stage| {
            let volume = &stage.memory()["volumes"][0];
            (volume["state"] == "healthy" && !volume["identity"].is_null()).then_some(())
        });
    }
    // The policy allows two within an hour.
    stage.outage();
    stage.until_health("given-up");
}
