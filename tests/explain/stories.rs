//! Incidents that happened, with what is known about them from outside the log, and word for word
//! what a person reads.

use std::fs;

use serde_json::Value;

use crate::setup::{document, explain, folder, logs};

/// Log, verdict, id and device of the first cause, its line.
type Row<'a> = (&'a str, &'a str, &'a str, Option<&'a str>, u64);

/// What the host did is known for each: it refused a barrier; lost an iSCSI path; failed every
/// request of the root disk for 15 s and was then rebooted; answered nothing for 40 s; lost DRBD's
/// disk and then an iSCSI target; filled its storage; refused flushes in four ways; failed XFS's
/// log.
const STORIES: [Row<'_>; 9] = [
    ("drbd-and-iscsi-on-a-console", "aborted", "drbd_no_disk", Some("drbd0"), 28),
    ("full-storage-6.18", "aborted", "blk_io_error_op", Some("loop0"), 3),
    ("lost-flush-6.12", "refused", "blkfront_op_fail", Some("xvdc"), 10),
    ("outage-6.1", "aborted", "blk_io_error_op", Some("xvda"), 15),
    ("path-loss-on-the-host", "stalled", "iscsi_conn_error", Some("connection1:0"), 1),
    ("path-loss-with-its-guest", "aborted", "iscsi_conn_error", Some("connection1:0"), 2),
    ("refused-barrier-3.2", "aborted", "blkfront_barrier_fail_swapped", Some("xvda2"), 5),
    ("stall-6.1", "stalled", "hung_task", None, 31),
    ("xfs-shutdown-6.18", "aborted", "blk_io_error_op", Some("loop1"), 3),
];

fn device<'a>(story: &'a Value, name: &str) -> &'a Value {
    let devices = story["devices"].as_array().unwrap();
    devices.iter().find(|device| device["name"] == name).unwrap_or_else(|| panic!("{story:#}"))
}

fn story(name: &str) -> Value {
    document(&folder("stories").join(format!("{name}.log")))
}

#[test]
fn every_story_is_in_the_table() {
    let names: Vec<String> = logs("stories").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, STORIES.map(|row| row.0));
}

#[test]
fn verdict_and_first_cause_are_what_happened() {
    for (name, verdict, id, device, line) in STORIES {
        let story = story(name);
        let cause = &story["first_cause"];
        let found = (&story["verdict"], &cause["id"], cause["device"].as_str(), &cause["line"]);
        assert_eq!(found, (&verdict.into(), &id.into(), device, &line.into()), "{name}");
    }
}

#[test]
fn what_a_person_reads_is_what_was_approved() {
    for (name, path) in logs("stories") {
        let ran = explain(&[&path.to_string_lossy()]);
        assert_eq!(ran.code, Some(10), "{name}: {ran:?}");
        let approved = fs::read_to_string(path.with_extension("txt")).unwrap();
        assert_eq!(ran.out(), approved, "{name} reads otherwise than stories/{name}.txt");
    }
}

#[test]
fn a_guest_is_told_from_the_host_that_failed_it() {
    let story = story("path-loss-with-its-guest");
    let (path, root) = (device(&story, "connection1:0"), device(&story, "xvda1"));
    assert_eq!((&path["host"], &root["host"]), (&"dom0".into(), &"mail".into()));
    assert_eq!((&path["verdict"], &path["now"]), (&"stalled".into(), &"healthy".into()));
    assert_eq!((&root["verdict"], &root["now"]), (&"aborted".into(), &"aborted".into()));
    assert_eq!(root["first_cause"]["device"], "connection1:0");
}

#[test]
fn each_guest_disk_has_the_host_trouble_that_came_before_it() {
    let story = story("drbd-and-iscsi-on-a-console");
    for (disk, path) in [("xvdb", "drbd0"), ("xvdc", "connection1:0")] {
        assert_eq!(device(&story, disk)["first_cause"]["device"], path, "{disk}");
    }
}

#[test]
fn what_was_undone_stays_a_finding() {
    let full = story("full-storage-6.18");
    let disk = device(&full, "loop0");
    assert_eq!((&disk["verdict"], &disk["now"]), (&"aborted".into(), &"healthy".into()));
    assert_eq!(disk["recovered"]["line"], 49);
    let outage = story("outage-6.1");
    let disk = device(&outage, "xvda");
    // remount,rw returned 0 there and healed nothing; the reboot did.
    assert_eq!((&disk["now"], &disk["is_past"]), (&"aborted".into(), &true.into()));
    assert_eq!(outage["log"]["boots"], 2);
}

#[test]
fn advice_has_the_commands_and_says_what_is_useless() {
    for (name, command, useless) in [
        ("refused-barrier-3.2", "e2fsck -f /dev/xvda2", "barriers=0"),
        ("refused-barrier-3.2", "mount -o remount,barrier=0 MOUNTPOINT", "mount -o remount,rw"),
        ("xfs-shutdown-6.18", "umount /dev/loop1", "errors=continue"),
        ("path-loss-on-the-host", "iscsiadm -m session -P 3", "timeout="),
        ("full-storage-6.18", "lvs -o name,data_percent,metadata_percent", "mount -o remount,rw"),
        ("lost-flush-6.12", "xl save DOMAIN FILE; xl restore FILE", "echo 'write back'"),
    ] {
        let story = story(name);
        let (advice, warnings) = (story["advice"].to_string(), story["useless"].to_string());
        assert!(advice.contains(command), "{name}: {command} is not in {advice}");
        assert!(warnings.contains(useless), "{name}: {useless} is not in {warnings}");
    }
    let xfs = story("xfs-shutdown-6.18")["advice"].to_string();
    assert!(!xfs.contains("e2fsck") && !xfs.contains("xfs_repair -L"), "{xfs}");
}
