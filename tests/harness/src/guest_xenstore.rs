//! The xenstore keys of a vbd, as a real toolstack, blkback and blkfront leave them.
//!
//! Every client of `Xenstored` is domain 0, so the guest is domain 0 here and its backend too.
//! Never plays the state machine: the vbd is connected from the first moment on.

use crate::failure::Result;
use crate::xenstored::Xenstored;

/// One vbd. Fields not named: `..VbdSpec::default()`.
#[derive(Debug, Clone)]
pub struct VbdSpec<'a> {
    /// Its number, which is also its name in xenstore: 51712 is xvda, 51728 xvdb.
    pub number: u32,
    /// Its name in the guest, `dev`.
    pub name: &'a str,
    /// The backend's storage: `/dev/mapper/san`, `drbd:mail`.
    pub params: &'a str,
    /// The hotplug script of the backend.
    pub script: &'a str,
    /// `phy`, `qdisk`, …
    pub kind: &'a str,
    /// `w`, `r` or `w!`.
    pub mode: &'a str,
    /// `disk` or `cdrom`.
    pub device_type: &'a str,
    /// `feature-flush-cache`: absent, or its value.
    pub flush: Option<&'a str>,
    /// `feature-barrier`: absent, or its value.
    pub barrier: Option<&'a str>,
    /// Further keys of the backend, or other values for those above.
    pub more: &'a [(&'a str, &'a str)],
}

impl Default for VbdSpec<'_> {
    /// A writable phy disk, xvda, that offers flushes and barriers.
    fn default() -> Self {
        VbdSpec {
            number: 51712,
            name: "xvda",
            params: "/dev/mapper/san",
            script: "/etc/xen/scripts/block",
            kind: "phy",
            mode: "w",
            device_type: "disk",
            flush: Some("1"),
            barrier: Some("1"),
            more: &[],
        }
    }
}

impl VbdSpec<'_> {
    /// Where its backend's keys are.
    pub fn backend(&self) -> String {
        format!("/local/domain/0/backend/vbd/0/{}", self.number)
    }

    /// Where its own keys are.
    pub fn frontend(&self) -> String {
        format!("/local/domain/0/device/vbd/{}", self.number)
    }
}

/// Writes a connected vbd into the store.
pub fn add_vbd(store: &Xenstored, spec: &VbdSpec<'_>) -> Result<()> {
    let (backend, frontend) = (spec.backend(), spec.frontend());
    let number = spec.number.to_string();
    let mut pairs: Vec<(String, &str)> = Vec::new();
    let of_the_frontend = [
        ("backend", &*backend),
        ("backend-id", "0"),
        ("state", "4"),
        ("virtual-device", &number),
        ("device-type", spec.device_type),
        ("trusted", "1"),
        ("protocol", "x86_64-abi"),
        ("ring-ref", "8"),
        ("event-channel", "8"),
        ("feature-persistent", "1"),
    ];
    pairs.extend(of_the_frontend.map(|(key, value)| (format!("{frontend}/{key}"), value)));
    let of_the_backend = [
        ("frontend", &*frontend),
        ("params", spec.params),
        ("script", spec.script),
        ("frontend-id", "0"),
        ("online", "1"),
        ("removable", "0"),
        ("bootable", "1"),
        ("state", "4"),
        ("dev", spec.name),
        ("type", spec.kind),
        ("mode", spec.mode),
        ("device-type", spec.device_type),
        ("physical-device", "fd:0"),
        ("hotplug-status", "connected"),
        ("feature-persistent", "1"),
        ("sectors", "131072"),
        ("info", "0"),
        ("sector-size", "512"),
        ("physical-sector-size", "512"),
    ];
    pairs.extend(of_the_backend.map(|(key, value)| (format!("{backend}/{key}"), value)));
    let features = [("feature-flush-cache", spec.flush), ("feature-barrier", spec.barrier)];
    let offered = features.into_iter().filter_map(|(key, value)| Some((key, value?)));
    let further = offered.chain(spec.more.iter().copied());
    pairs.extend(further.map(|(key, value)| (format!("{backend}/{key}"), value)));
    store.write_all(&pairs)
}
