//! `rehearse` and `plan --recovery`: what a recovery would find, with everything left as it is.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use harness::fault::{Answer, Fault};
use harness::helper::Helper;
use harness::programs::{self, Ran};
use harness::requires;

use crate::stage::{AT, Stage};
use crate::users::with_service;

/// What a rehearsal must leave alone.
const FILE: &str = "kept";

/// A volume with one file on it.
fn volume() -> Stage {
    let stage = Stage::new("ext4");
    stage.guest.run(&format!("echo kept >{AT}/{FILE}; rmdir {AT}/lost+found; sync")).unwrap();
    stage
}

/// Both commands end with this code; what they say.
fn both_end_with(stage: &Stage, code: i32) -> [Ran; 2] {
    let ran = [&["rehearse", AT][..], &["plan", "--recovery", AT]].map(|one| stage.xvdguard(one));
    for one in &ran {
        assert_eq!(one.code, Some(code), "{}{}", one.out(), one.err());
    }
    ran
}

/// The mount is the same one, and nothing lies on it that was not there.
#[track_caller]
fn assert_untouched(stage: &Stage, mount: &str) {
    assert_eq!(mount_of(stage), mount);
    assert_eq!(stage.guest.run(&format!("ls -A {AT}")).unwrap(), format!("{FILE}\n"));
}

/// Its line of mountinfo, whose first number is new with every mount.
fn mount_of(stage: &Stage) -> String {
    stage.guest.run(&format!("grep ' {AT} ' /proc/self/mountinfo")).unwrap()
}

#[test]
fn a_volume_without_users_is_ready_and_the_rehearsal_leaves_nothing() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = volume();
    let mount = mount_of(&stage);
    let [rehearsed, planned] = both_end_with(&stage, 0);
    let said = rehearsed.out();
    let (tried, last) = said.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(tried.lines().count(), 4, "{said}");
    assert!(tried.lines().all(|line| line.starts_with("ok  ")), "{said}");
    assert!(last.ends_with("nothing was stopped or unmounted"), "{said}");
    let node = stage.disk.device.node().display().to_string();
    for step in [format!("umount {AT}\n"), format!("e2fsck -p {node}\n")] {
        assert!(planned.out().contains(&step), "{}", planned.out());
    }
    assert_untouched(&stage, &mount);
}

/// One that is refused inside a commit would kill the journal, up to Linux 6.10.
#[test]
fn a_flush_alone_comes_before_the_first_write() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::io_uring() else { return };
    let stage = volume();
    let (storage, node) = (&stage.disk.storage, stage.disk.device.node().display());
    let anew = format!("umount {AT} && mount -o noinit_itable {node} {AT} && sync");
    stage.guest.run(&anew).unwrap();
    let writes = || storage.counters().unwrap().writes;
    let before = stage.until("nobody writes any more", |_| {
        let before = writes();
        thread::sleep(Duration::from_secs(1));
        (writes() == before).then_some(before)
    });
    storage.set(Fault::Fsync(Answer::Hang)).unwrap();
    let mut rehearse = stage.guest.command(programs::xvdguard());
    rehearse.args(["rehearse", AT]).stdout(Stdio::null());
    let _rehearsal = Helper::start(rehearse).unwrap();
    stage.until("a flush has come", |_| (storage.counters().unwrap().hanging > 0).then_some(()));
    assert_eq!(writes(), before);
    storage.heal().unwrap();
}

#[test]
fn a_process_that_no_unit_owns_is_named_and_goes_on() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = volume();
    let line = format!("exec 3<{AT}/{FILE}; echo $$ >/run/holder; exec sleep 1000");
    let _holder = stage.start(&line);
    let pid = stage.until("it has its file", |stage| {
        stage.guest.run("grep -q sleep /proc/$(cat /run/holder)/comm && cat /run/holder").ok()
    });
    let (pid, mount) = (pid.trim(), mount_of(&stage));
    let [rehearsed, planned] = both_end_with(&stage, 1);
    let named = format!("sleep (process {pid}");
    let said = rehearsed.out();
    let bad: Vec<&str> = said.lines().filter(|line| line.starts_with("NO  ")).collect();
    assert!(bad.len() == 1 && bad[0].contains(&named), "{said}");
    assert!(said.trim_end().ends_with("see the lines marked NO"), "{said}");
    assert!(planned.out().contains(&named), "{}", planned.out());
    assert!(planned.out().contains("(cannot be stopped by unit)"), "{}", planned.out());
    stage.guest.run(&format!("ls -l /proc/{pid}/fd/3 | grep -q {AT}/{FILE}")).unwrap();
    assert_untouched(&stage, &mount);
}

#[test]
fn a_service_is_named_and_not_stopped() {
    let Some(stage) = with_service() else { return };
    let mount = mount_of(&stage);
    let [rehearsed, planned] = both_end_with(&stage, 0);
    assert!(rehearsed.out().contains("by unit: db.service\n"), "{}", rehearsed.out());
    assert!(planned.out().contains("stop db.service\n"), "{}", planned.out());
    let asked = stage.guest.run("cat /run/asked").unwrap();
    let verbs: Vec<&str> = asked.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(verbs.iter().all(|verb| ["list-units", "show"].contains(verb)), "{asked}");
    assert_eq!(mount_of(&stage), mount);
}

#[test]
fn a_dead_volume_is_said_to_take_no_write() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = volume();
    stage.configure("[recovery]\ndefault = \"report\"\n");
    stage.watch();
    stage.begin_outage_until("given-up");
    stage.disk.storage.heal().unwrap();
    let ran = stage.xvdguard(&["rehearse", AT]);
    assert_eq!(ran.code, Some(1), "{}", ran.out());
    assert!(ran.out().contains("NO  it takes a new file: "), "{}", ran.out());
}

#[test]
fn a_place_where_nothing_is_mounted_is_answered_with_what_there_is() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = volume();
    for arguments in [&["rehearse", "/run"][..], &["plan", "--recovery", "/run"]] {
        let ran = stage.xvdguard(arguments);
        assert_eq!(ran.code, Some(64), "{}", ran.err());
        let said = ran.err();
        let (_, known) = said.trim_end().split_once(" on /run; there are: ").unwrap();
        assert!(known.split(", ").any(|point| point == AT), "{known}");
    }
}
