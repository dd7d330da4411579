//! Names of one thing are brought together where sysfs proves it, and only there.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::setup::{Log, explain};

/// A volume group on xvdb, whose log names the disk, the mapped device and its journal.
const LOG: &str = "\
3,1,70000000,-;I/O error, dev xvdb, sector 9804 op 0x1:(WRITE) flags 0x0 phys_seg 1 prio class 2
3,2,70100000,-;Buffer I/O error on dev dm-0, logical block 787, lost sync page write
3,3,70200000,-;Aborting journal on device dm-0-8.
2,4,70300000,-;EXT4-fs (dm-0): Remounting filesystem read-only
3,5,70400000,-;Write-error on swap-device (202:16:8)
";

fn machine() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("sys/block/xvda/dev", "202:0\n");
    write("sys/block/xvdb/dev", "202:16\n");
    write("sys/block/dm-0/dev", "253:0\n");
    write("sys/block/dm-0/dm/name", "vg0-data\n");
    write("sys/block/dm-0/slaves/xvdb/dev", "202:16\n");
    write("dev/kmsg", LOG);
    root
}

/// Name and verdict of each device, then the device of the first cause.
fn told(arguments: &[&str]) -> (Value, Value) {
    let ran = explain(&[&["--json"], arguments].concat());
    let story: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let devices = story["devices"].as_array().unwrap().iter();
    let devices: Vec<_> = devices.map(|one| json!([one["name"], one["verdict"]])).collect();
    (devices.into(), story["first_cause"]["device"].clone())
}

fn path(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn sysfs_of_the_machine_of_the_log_is_proof() {
    let root = machine();
    let together = (json!([["xvdb", "aborted"], [null, "erring"]]), json!("xvdb"));
    assert_eq!(told(&["--root", &path(root.path())]), together);
    let log = Log::new(LOG);
    assert_eq!(told(&["--root", &path(root.path()), &path(&log.path())]), together);
}

#[test]
fn a_log_that_was_brought_says_nothing_about_this_machines_disks() {
    let log = Log::new(LOG);
    // What failed before on the same host is still the cause.
    let apart = (json!([["xvdb", "erring"], ["dm-0", "aborted"], [null, "erring"]]), json!("xvdb"));
    assert_eq!(told(&[&path(&log.path())]), apart);
}
