//! JSON documents: `{"schema":1,"tool":"xvdguard","version":…}` and then the document's own keys.
//!
//! The shapes are written down in `docs/schema`. Unknown is null, never left out.

use serde_json::{Value, json};
use xvdguard_logic::observation::Observation;
use xvdguard_logic::verdict::report::{DiskReport, SCHEMA};

/// `status`
pub fn status(seen: &Observation, disks: &[DiskReport]) -> String {
    let volumes: Vec<Value> = seen
        .volumes
        .iter()
        .map(|volume| {
            json!({
                "mount_point": volume.mount_point,
                "fstype": volume.fstype,
                "disks": volume.disks,
                "health": null,
                "since": null,
                "evidence": [],
                "next": null,
            })
        })
        .collect();
    document(json!({
        "xen": { "mode": seen.xen },
        "hold": null,
        "daemon": null,
        "disks": disks,
        "volumes": volumes,
        "oddities": seen.oddities,
    }))
}

/// `probe`
pub fn probe(disks: &[&DiskReport], seen: &Observation) -> String {
    document(json!({ "disks": disks, "oddities": seen.oddities }))
}

fn document(body: Value) -> String {
    let mut whole = json!({
        "schema": SCHEMA,
        "tool": "xvdguard",
        "version": env!("CARGO_PKG_VERSION"),
    });
    if let (Some(whole), Value::Object(body)) = (whole.as_object_mut(), body) {
        whole.extend(body);
    }
    format!("{whole:#}\n")
}
