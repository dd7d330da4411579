//! An outage of some seconds, and the volume is back without anybody asked.

use std::fs;
use std::thread;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::{program, requires};
use xvdguard_linux::recover;
use xvdguard_linux::root::Root;
use xvdguard_logic::recovery::effects::{Deed, Effect, Outcome};
use xvdguard_logic::text::Text;

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

/// The kernel keeps the error of a write, and gives it to the first who reads past the cache.
/// Whoever asks again for that fills its log with twice as many lines.
#[test]
fn an_error_of_before_is_no_answer_of_now() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = Stage::new("ext4");
    let node = stage.disk.device.node();
    let name = node.file_name().and_then(|name| name.to_str()).unwrap();
    let deed = Deed::AskDisk(Text::from(name));
    let effect = Effect { id: 1, deadline_ms: Some(5_000), deed };
    let ask = || {
        let mut job = recover::begin(&Root::at(b"/").unwrap(), &effect).unwrap();
        job.wait();
        recover::outcome(job.finish())
    };
    let requests = || {
        let numbers = fs::read_to_string(format!("/sys/block/{name}/stat")).unwrap();
        numbers.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    };
    stage.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
    let before = requests();
    assert!(ask().is_storage());
    assert_eq!(requests() - before, 1);
    stage.until("its super block could not be written", |stage| {
        stage.guest.stir(AT);
        (!stage.takes_writes()).then_some(())
    });
    stage.disk.storage.heal().unwrap();
    assert_eq!(ask(), Outcome::Done);
}

/// While it is so it answers all the same.
#[test]
fn a_disk_that_this_kernel_holds_read_only_is_waited_for() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.begin_outage();
    let node = stage.disk.device.node().display().to_string();
    program::run("blockdev", &["--setro", &node]).unwrap();
    stage.disk.storage.heal().unwrap();
    // Ten times as long as a disk that answers is waited for.
    thread::sleep(Duration::from_secs(10));
    assert_eq!(stage.health(), "aborted");
    let status = stage.xvdguard(&["status"]).out();
    assert!(status.contains("a read-only one counts as silent"), "{status}");
    assert!(status.contains("blockdev --setrw"), "{status}");
    program::run("blockdev", &["--setrw", &node]).unwrap();
    stage.until_health("healthy");
    assert!(stage.takes_writes());
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

/// Spaces, a line break and a byte that is no UTF-8, as a shell writes them.
const ODD: &str = "\"$(printf '/run/a b\\nc\\377')\"";

#[test]
fn a_mount_point_may_have_any_name() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let node = stage.disk.device.node().display().to_string();
    let run = |stage: &Stage, line: String| stage.guest.run(&line);
    run(&stage, format!("umount {AT} && mkdir {ODD} && mount {node} {ODD}")).unwrap();
    stage.watch();
    stage.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
    stage.until("it is dead", |stage| {
        stage.guest.stir(ODD);
        (stage.health() == "aborted").then_some(())
    });
    stage.disk.storage.heal().unwrap();
    stage.until_health("healthy");
    run(&stage, format!("mountpoint -q {ODD} && cd {ODD} && echo new >new && sync new")).unwrap();
    // One line of a log, whatever it is called.
    let shown = r"/run/a b\x0ac\xff";
    assert!(stage.said().contains(shown), "{}", stage.said());
}

/// What lies on the same disk and is read-only by intention, or hides another file system.
#[test]
fn what_is_read_only_by_intention_is_no_alarm() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let line = format!(
        "mkdir {AT}/upper {AT}/work {AT}/lower /run/over /run/bound && mount -t overlay overlay \
         -o lowerdir={AT}/lower,upperdir={AT}/upper,workdir={AT}/work /run/over && \
         mount --bind -o ro {AT}/lower /run/bound && mount -o remount,ro,bind /run/bound && \
         mount -t tmpfs -o ro tmpfs /run/bound"
    );
    stage.guest.run(&line).unwrap();
    stage.watch();
    // Every source is looked at again.
    let pid = stage.daemon_pid();
    stage.guest.run(&format!("mount -o remount,ro {AT}; kill -HUP {pid}")).unwrap();
    stage.until("it has reloaded", |stage| stage.said().contains("read again").then_some(()));
    stage.guest.run(&format!("mount -o remount,rw {AT} || true")).unwrap();
    assert_eq!(stage.health(), "healthy", "{}", stage.said());
    assert!(!stage.said().contains("aborted"), "{}", stage.said());
}
