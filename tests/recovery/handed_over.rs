//! What cannot be brought back safely is left to a person, told once, with everything as it was.

use std::fs;

use harness::fault::{Answer, Fault};
use harness::faulty_disk::FaultyDisk;
use harness::requires;

use crate::stage::{AT, Stage};

fn dead_with(prepare: impl FnOnce(&Stage)) -> Stage {
    let mut stage = Stage::new("ext4");
    stage.watch();
    prepare(&stage);
    stage.outage();
    stage.until_health("given-up");
    stage
}

fn alerts(stage: &Stage) -> usize {
    stage.said().lines().filter(|line| line.contains("given-up: ")).count()
}

#[test]
fn a_check_that_needs_a_person_leaves_the_volume_unmounted() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = dead_with(|stage| stage.put_program("e2fsck", "exit 4"));
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_err());
    assert_eq!(alerts(&stage), 1, "{}", stage.said());
    // The next login sees it.
    let motd = stage.guest.run("cat /run/motd.d/60-xvdguard").unwrap();
    assert!(motd.contains("xvdguard release"), "{motd}");
    // The person saw to it.
    stage
        .guest
        .run(&format!(
            "umount {}; mount {} {AT}",
            harness::program::find("e2fsck").unwrap().display(),
            stage.disk.device.node().display()
        ))
        .unwrap();
    stage.guest.run(&format!("{} release {AT}", harness::programs::xvdguard().display())).unwrap();
    stage.until_health("healthy");
    stage.until("the message of the day is gone", |stage| {
        stage.guest.run("test ! -e /run/motd.d/60-xvdguard").ok()
    });
}

#[test]
fn a_volume_that_cannot_be_mounted_is_handed_over() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = dead_with(|stage| stage.put_program("mount", "echo no >&2; exit 32"));
    assert_eq!(alerts(&stage), 1, "{}", stage.said());
}

#[test]
fn a_process_that_no_unit_owns_keeps_its_volume() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut holder = None;
    let stage = dead_with(|stage| {
        holder = Some(stage.start(&format!("exec 3>{AT}/open; sleep 1000")));
        stage.until("it has its file", |stage| stage.guest.run(&format!("test -e {AT}/open")).ok());
    });
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    assert!(
        stage.said().contains("sleep (process ") || stage.said().contains("sh (process "),
        "{}",
        stage.said()
    );
}

#[test]
fn a_mount_that_somebody_holds_unseen_stays_as_it_was() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut holder = None;
    let stage = dead_with(|stage| {
        // This test is a process of the machine below, which nobody sees inside.
        stage.guest.run(&format!(": >{AT}/open && sync {AT}/open")).unwrap();
        holder = Some(std::fs::File::open(stage.guest.within(&format!("{AT}/open"))).unwrap());
    });
    let said = stage.said();
    assert!(said.contains("EBUSY") || said.contains("busy"), "{said}");
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    assert_eq!(alerts(&stage), 1, "{said}");
}

#[test]
fn a_mount_in_a_private_namespace_is_found_and_named() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut holder = None;
    let stage = dead_with(|stage| {
        let line = "exec unshare --mount sh -c ': >/run/there; cd /; exec sleep 1000'";
        holder = Some(stage.start(line));
        stage.until("it is there", |stage| stage.guest.run("test -e /run/there").ok());
    });
    assert!(stage.said().contains("sleep (process "), "{}", stage.said());
    // Its super block is alive: nothing was checked, nothing mounted.
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_err());
}

/// A volume that died, and in whose place something else came back. The super block of the dead
/// one was in its last commit and is dirty in memory, as after every file that was removed: whoever
/// reads the disk writes it there.
fn back_as(fstype: &str, make: impl FnOnce(&Stage) -> Vec<u8>) -> Stage {
    let mut stage = Stage::new(fstype);
    let other = make(&stage);
    stage.watch();
    stage.guest.run(&format!(": >{AT}/gone && sync {AT} && rm {AT}/gone && sync {AT}")).unwrap();
    stage.begin_outage();
    stage.disk.storage.set(Fault::Write(Answer::Ok)).unwrap();
    fs::write(stage.disk.storage.file(), &other).unwrap();
    stage.disk.storage.heal().unwrap();
    stage.until_health("given-up");
    // mountpoint(1) asks the file system, and a dead xfs answers nothing.
    let is_mounted = stage.guest.run(&format!("grep -q ' {AT} ' /proc/self/mounts")).is_ok();
    assert!(is_mounted, "{}", stage.said());
    assert_eq!(alerts(&stage), 1, "{}", stage.said());
    stage
}

#[test]
fn a_disk_that_came_back_as_an_older_snapshot_is_not_touched() {
    for fstype in ["ext3", "ext4", "xfs", "btrfs"] {
        let Some(_) = requires::faulty_disk(fstype) else { return };
        let stage = back_as(fstype, |stage| {
            let older = fs::read(stage.disk.storage.file()).unwrap();
            // Some transactions, and the mount that is watched.
            let node = stage.disk.device.node().display().to_string();
            let line = format!(
                ": >{AT}/new && sync {AT} && umount {AT} && mount -t {fstype} {node} {AT} && \
                 : >{AT}/newer && sync {AT}"
            );
            stage.guest.run(&line).unwrap();
            older
        });
        assert!(
            stage.said().contains("its journal is not where this boot left it"),
            "{}",
            stage.said()
        );
    }
}

#[test]
fn a_disk_that_came_back_as_another_file_system_is_not_touched() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let stage = back_as("ext4", |_| {
        let other = FaultyDisk::formatted("ext4").unwrap();
        fs::read(other.storage.file()).unwrap()
    });
    assert!(
        stage.said().contains("its journal is not where this boot left it"),
        "{}",
        stage.said()
    );
}

#[test]
fn a_file_system_that_others_may_have_mounted_is_only_reported() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    let node = stage.disk.device.node().display().to_string();
    // Multiple mount protection: two machines are meant to see this disk.
    let line = format!(
        "umount {AT} && mkfs.ext4 -qF -O mmp -E mmp_update_interval=1 {node} && mount {node} {AT}"
    );
    stage.guest.run(&line).unwrap();
    stage.watch();
    stage.disk.storage.set_all(&Fault::everything(Answer::Eio)).unwrap();
    // Nothing is waited for: it is handed over at once.
    stage.until("it is handed over", |stage| {
        stage.guest.stir(AT);
        (stage.health() == "given-up").then_some(())
    });
    stage.disk.storage.heal().unwrap();
    assert!(stage.guest.run(&format!("mountpoint -q {AT}")).is_ok());
    assert_eq!(alerts(&stage), 1, "{}", stage.said());
}

/// What `/var/lib` lies on is like root: only a reboot heals it. This guest has no record of an
/// earlier boot, so nobody knows how often it was rebooted.
#[test]
fn a_volume_that_the_guest_lives_on_is_neither_unmounted_nor_is_the_guest_rebooted_unguarded() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.guest.run(&format!("mount --bind {AT} /var/lib && umount {AT}")).unwrap();
    stage.guest.run(&format!("rmdir {AT} && ln -s /var/lib {AT}")).unwrap();
    stage.watch();
    stage.begin_outage();
    stage.disk.storage.heal().unwrap();
    stage.until_health("given-up");
    assert!(stage.guest.run("mountpoint -q /var/lib").is_ok());
    assert!(stage.guest.is_up());
    assert_eq!(stage.guest.sysrq(), "");
    assert_eq!(alerts(&stage), 1, "{}", stage.said());
}
