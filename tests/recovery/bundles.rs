//! Evidence bundles: what was seen and done in an incident is kept, and named.

use std::path::Path;

use boon::{Compiler, Schemas};
use harness::requires;
use serde_json::Value;

use crate::stage::Stage;

const LASTING: &str = "/var/lib/xvdguard/record";

fn check(bundle: &Value) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let schema = root.join("docs/schema/incident.json");
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
    check(&bundles[0]);
    assert_eq!(bundles[0]["end"], "healthy");
    assert!(!bundles[0]["lines"].as_array().unwrap().is_empty(), "{:#}", bundles[0]);
    assert!(!bundles[0]["evidence"].as_array().unwrap().is_empty(), "{:#}", bundles[0]);
    let orders = orders(&bundles[0]);
    for deed in ["verify-same-disk", "umount", "check-free", "fsck", "mount", "probe-write"] {
        assert!(orders.contains(&deed.to_owned()), "{deed}: {orders:?}");
    }
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
    check(&bundles[0]);
    assert_eq!(bundles[0]["end"], "given-up");
}
