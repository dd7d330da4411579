//! Evidence bundles: what was seen and done in an incident is kept, and named.

use std::path::Path;
use std::process::Command;

use boon::{Compiler, Schemas};
use harness::{programs, requires};
use serde_json::Value;

use crate::stage::Stage;

const LASTING: &str = "/var/lib/xvdguard/record";

fn check(name: &str, bundle: &Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let schema = root.join(format!("docs/schema/{name}.json"));
    let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
    let index = compiler.compile(schema.to_str().unwrap(), &mut schemas).unwrap();
    if let Err(error) = schemas.validate(bundle, index) {
        panic!("{error:#}\n{bundle:#}");
    }
}

fn orders(bundle: &Value) -> Vec<String> {
    let steps = bundle["steps"].as_array().unwrap().iter();
    let deeds = steps.filter_map(|step| step["ordered"]["deed"].as_object());
    deeds.filter_map(|deed| deed.keys().next().cloned()).collect()
}

#[test]
fn a_recovery_leaves_a_bundle_that_tells_it_all() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.outage();
    stage.until_health("healthy");
    let path = stage.until("status names it", |stage| {
        stage.state()["volumes"][0]["bundle"].as_str().map(str::to_owned)
    });
    assert!(path.starts_with(LASTING), "{path}");
    assert!(stage.said().contains(&format!("kept in {path}")), "{}", stage.said());
    let bundles = stage.bundles(LASTING);
    assert_eq!(bundles.len(), 1);
    check("incident", &bundles[0]);
    assert_eq!(bundles[0]["end"], "healthy");
    assert!(!bundles[0]["lines"].as_array().unwrap().is_empty(), "{:#}", bundles[0]);
    assert!(!bundles[0]["evidence"].as_array().unwrap().is_empty(), "{:#}", bundles[0]);
    let orders = orders(&bundles[0]);
    for deed in ["verify-same-disk", "umount", "check-free", "fsck", "mount", "probe-write"] {
        assert!(orders.contains(&deed.to_owned()), "{deed}: {orders:?}");
    }
}

#[test]
fn a_recovery_leaves_a_recording_that_can_be_stepped_through() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.watch();
    stage.outage();
    stage.until_health("healthy");
    let path = stage.until("the recording is named", |stage| {
        let said = stage.said();
        let (_, rest) = said.split_once("xvdguard replay ")?;
        Some(rest.lines().next()?.to_owned())
    });
    assert!(path.starts_with(LASTING), "{path}");
    let file = stage.guest.within(&path);
    let replay = |option: &str| {
        let mut program = Command::new(programs::xvdguard());
        let output = program.arg(option).arg("replay").arg(&file).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, told) = replay("--verbose");
    assert_eq!(code, 0, "{told}");
    // In this order.
    let words = [
        "→ aborted",
        "compare the super block",
        "unmount /run/srv",
        "check the file system on ",
        "mount ",
        "write a new file to /run/srv",
        "→ healthy",
    ];
    let mut rest = told.as_str();
    for word in words {
        rest = rest.split_once(word).unwrap_or_else(|| panic!("{word} in {told}")).1;
    }
    let (code, told) = replay("--json");
    assert_eq!(code, 0);
    check("replay", &serde_json::from_str(&told).unwrap());
}

#[test]
fn where_the_lasting_folder_takes_nothing_it_is_kept_in_memory_and_the_alert_names_it() {
    let Some(_) = requires::faulty_disk("ext4") else { return };
    let mut stage = Stage::new("ext4");
    stage.put_program("e2fsck", "exit 4");
    stage.guest.run("mount -o remount,ro /var/lib").unwrap();
    stage.watch();
    stage.outage();
    stage.until_health("given-up");
    let path = stage.until("status names it", |stage| {
        stage.state()["volumes"][0]["bundle"].as_str().map(str::to_owned)
    });
    assert!(path.starts_with("/run/xvdguard/record/incident-"), "{path}");
    let said = stage.said();
    let alert = said.lines().find(|line| line.contains("given-up: ")).unwrap();
    assert!(alert.contains("Evidence: /"), "{alert}");
    let bundles = stage.bundles("/run/xvdguard/record");
    check("incident", &bundles[0]);
    assert_eq!(bundles[0]["end"], "given-up");
}
