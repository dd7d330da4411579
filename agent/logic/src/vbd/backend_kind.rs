//! What serves a vbd: the backend driver, and the storage below it as far as its keys tell.
//!
//! A guess from names, for people and for `[[queue]]` rules; no verdict rests on it.

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use super::Vbd;
use crate::text::Text;

/// What serves a vbd.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BackendKind {
    /// `phy`, `tap`, `qdisk`, `file`, or whatever the toolstack wrote; empty when unknown.
    pub driver: Text,
    /// The storage below.
    pub storage: Option<Storage>,
}

/// Storage below a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// DRBD, with the resource or device.
    Drbd(Text),
    /// iSCSI, with the target where it is named.
    Iscsi(Text),
    /// An LVM logical volume, as `vg/lv`.
    Lvm(Text),
}

impl Storage {
    /// The word that `[[queue]] backend` matches.
    pub fn word(&self) -> &'static str {
        match self {
            Storage::Drbd(_) => "drbd",
            Storage::Iscsi(_) => "iscsi",
            Storage::Lvm(_) => "lvm",
        }
    }
}

impl BackendKind {
    /// Reads `type`, `params`, `script` and `physical-device-path`.
    pub fn of(vbd: &Vbd) -> Self {
        let keys = &vbd.backend;
        let driver = keys.text("type").cloned().unwrap_or_else(|| directory(vbd));
        let script = keys.text("script").map(Text::to_string).unwrap_or_default();
        let paths = ["params", "physical-device-path"].into_iter().filter_map(|key| keys.text(key));
        let storage = paths.into_iter().find_map(|path| storage(&path.to_string(), &script));
        BackendKind { driver, storage }
    }

    /// The words that `[[queue]] backend` may match.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.driver.as_str().into_iter().chain(self.storage.as_ref().map(Storage::word))
    }
}

/// Without a `type` key the directory tells: `backend/vbd`, `backend/qdisk`, `backend/vbd3`.
fn directory(vbd: &Vbd) -> Text {
    let path = vbd.backend_path.as_ref().map(Text::to_string).unwrap_or_default();
    match path.split('/').nth(5) {
        Some("qdisk") => Text::from("qdisk"),
        Some("tap" | "vbd3") => Text::from("tap"),
        Some("vbd") => Text::from("phy"),
        _ => Text::default(),
    }
}

fn storage(path: &str, script: &str) -> Option<Storage> {
    let tail = |start: &str| path.strip_prefix(start).map(Text::from);
    if script.ends_with("block-drbd") {
        return Some(Storage::Drbd(Text::from(path)));
    }
    if let Some(resource) = tail("/dev/drbd/by-res/").or(tail("/dev/drbd")).or(tail("drbd:")) {
        return Some(Storage::Drbd(resource));
    }
    if script.ends_with("block-iscsi") || path.contains("iqn.") || path.contains("-iscsi-") {
        return Some(Storage::Iscsi(Text::from(path.rsplit('/').next().unwrap_or(path))));
    }
    let name = path.strip_prefix("/dev/mapper/").map(from_mapper).unwrap_or_else(|| path.into());
    let name = name.strip_prefix("/dev/").unwrap_or(&name);
    let is_pair = name.split('/').filter(|part| !part.is_empty()).count() == 2;
    let is_volume = is_pair && !name.starts_with('/') && !is_device_folder(name);
    is_volume.then(|| Storage::Lvm(Text::from(name)))
}

/// Device-mapper writes `vg-lv` with every `-` inside a name doubled (dm_build_dm_name, libdm).
fn from_mapper(name: &str) -> String {
    let marked = name.replace("--", "\0");
    match marked.split_once('-') {
        Some((group, volume)) => format!("{group}/{volume}").replace('\0', "-"),
        None => String::new(),
    }
}

fn is_device_folder(name: &str) -> bool {
    ["disk/", "mapper/", "loop/", "md/", "xen/", "zvol/", "fd/"].iter().any(|f| name.starts_with(f))
}

impl fmt::Display for BackendKind {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let driver: &dyn fmt::Display =
            if self.driver.is_empty() { &"unknown backend" } else { &self.driver };
        match &self.storage {
            None => write!(to, "{driver}"),
            Some(Storage::Drbd(name)) => write!(to, "{driver}, DRBD {name}"),
            Some(Storage::Iscsi(name)) => write!(to, "{driver}, iSCSI {name}"),
            Some(Storage::Lvm(name)) => write!(to, "{driver}, LVM {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vbd::keys::Keys;

    fn shown(backend: &[(&str, &str)]) -> String {
        BackendKind::of(&Vbd { backend: Keys::from(backend), ..Vbd::default() }).to_string()
    }

    #[test]
    fn the_storage_below_is_read_from_the_usual_names() {
        let block = ("script", "/etc/xen/scripts/block");
        for (backend, expected) in [
            (&[("type", "phy"), ("params", "/dev/vg0/mail"), block][..], "phy, LVM vg0/mail"),
            (&[("type", "phy"), ("params", "/dev/mapper/vg0-data"), block], "phy, LVM vg0/data"),
            (&[("params", "/dev/mapper/my--vg-a--b"), ("type", "phy")], "phy, LVM my-vg/a-b"),
            (&[("type", "phy"), ("params", "/dev/mapper/san"), block], "phy"),
            (&[("type", "phy"), ("params", "/dev/drbd3"), block], "phy, DRBD 3"),
            (
                &[("type", "phy"), ("params", "mail"), ("script", "/etc/xen/scripts/block-drbd")],
                "phy, DRBD mail",
            ),
            (&[("type", "phy"), ("params", "/dev/drbd/by-res/mail")], "phy, DRBD mail"),
            (
                &[
                    ("type", "phy"),
                    ("params", "/dev/disk/by-path/ip-10.0.0.1:3260-iscsi-iqn.x:y-lun-1"),
                ],
                "phy, iSCSI ip-10.0.0.1:3260-iscsi-iqn.x:y-lun-1",
            ),
            (&[("type", "phy"), ("params", "/dev/disk/by-id/scsi-1")], "phy"),
            (&[("type", "phy"), ("params", "/dev/sda")], "phy"),
            (&[("type", "qdisk"), ("params", "aio:/var/lib/xen/a.img")], "qdisk"),
            (&[("type", "tap"), ("params", "vhd:/srv/a.vhd")], "tap"),
            (&[("type", "file"), ("params", "/srv/images/a.img")], "file"),
            (&[], "unknown backend"),
        ] {
            assert_eq!(shown(backend), expected, "{backend:?}");
        }
    }

    #[test]
    fn without_a_type_the_backend_path_tells_the_driver() {
        let path = Some(Text::from("/local/domain/0/backend/qdisk/1/51712"));
        let vbd = Vbd { backend_path: path, ..Vbd::default() };
        assert_eq!(BackendKind::of(&vbd).to_string(), "qdisk");
    }
}
