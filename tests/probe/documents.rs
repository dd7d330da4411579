//! The JSON documents: every key of their schema is there, and what is unknown is null.

use std::collections::BTreeSet;

use harness::guest::Guest;
use harness::programs;
use harness::requires;
use serde_json::Value;

use crate::setup::{disk, document, probe};

const HEAD: [&str; 3] = ["schema", "tool", "version"];
const STATUS: [&str; 5] = ["xen", "hold", "daemon", "disks", "volumes"];
const DISK: [&str; 6] = ["name", "vbd", "backend_kind", "verdict", "reason", "evidence"];
const EVIDENCE: [&str; 3] = ["source", "text", "time"];
const VOLUME: [&str; 7] = ["mount_point", "fstype", "disks", "health", "since", "evidence", "next"];

fn has_keys(value: &Value, keys: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("no object: {value}"));
    let has: BTreeSet<&str> = object.keys().map(String::as_str).collect();
    let missing: Vec<_> = keys.iter().filter(|key| !has.contains(**key)).collect();
    assert!(missing.is_empty(), "{missing:?} are missing in {value:#}");
}

fn is_document(value: &Value) {
    has_keys(value, &HEAD);
    assert_eq!((&value["schema"], &value["tool"]), (&1.into(), &"xvdguard".into()));
}

fn are_disks(value: &Value) {
    for disk in value["disks"].as_array().unwrap() {
        has_keys(disk, &DISK);
        for evidence in disk["evidence"].as_array().unwrap() {
            has_keys(evidence, &EVIDENCE);
            // A directory does not tell when its machine was booted.
            assert!(evidence["time"].is_null() && evidence["boot_ms"].is_u64(), "{evidence}");
        }
    }
}

#[test]
fn each_document_has_the_keys_of_its_schema() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(2).unwrap();
    guest.root.say_mounted("xvdb", "/srv", "ext4", "rw").unwrap();
    let (_, probed) = probe(&guest, &[]);
    is_document(&probed);
    are_disks(&probed);
    assert!(!disk(&probed, "xvda")["evidence"].as_array().unwrap().is_empty());
    let status = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    is_document(&status);
    has_keys(&status, &STATUS);
    assert_eq!(status["xen"]["mode"], "pv");
    assert_eq!((&status["hold"], &status["daemon"]), (&Value::Null, &Value::Null));
    are_disks(&status);
    let volume = &status["volumes"][0];
    has_keys(volume, &VOLUME);
    assert_eq!(volume["disks"], serde_json::json!(["xvdb"]));
    assert_eq!((&volume["health"], &volume["since"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_disk_of_which_no_vbd_is_known_has_a_null_there() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let Some(_) = requires::xenstored() else { return };
    let guest = Guest::with_disks(1).unwrap();
    std::fs::remove_dir_all(guest.root.within("sys/bus/xen/devices/vbd-51712")).unwrap();
    guest.store.remove("/local/domain/0/device").unwrap();
    let status = document(&guest.xvdguard(&["--json", "status"]).unwrap());
    let disk = disk(&status, "xvda");
    has_keys(disk, &DISK);
    assert_eq!(disk["vbd"], Value::Null);
}

/// Whatever there is to say, a program that asked for JSON can read it.
#[test]
fn a_machine_without_xen_gets_a_document_too() {
    let Some(_) = requires::root() else { return };
    let root = harness::guest_root::GuestRoot::new().unwrap();
    std::fs::remove_dir_all(root.within("sys/bus/xen")).unwrap();
    std::fs::remove_dir_all(root.within("sys/hypervisor")).unwrap();
    for word in ["status", "probe"] {
        let mut command = programs::command("xvdguard").unwrap();
        command.args(["--json", word, "--root"]).arg(root.path());
        let ran = programs::run(command, std::time::Duration::from_secs(20)).unwrap();
        assert_eq!(ran.code, Some(0), "{word}: {ran:?}");
        let said = document(&ran);
        is_document(&said);
        assert_eq!(said["disks"], serde_json::json!([]), "{word}");
    }
}
