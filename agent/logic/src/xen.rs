//! What kind of Xen domain this is, from what `/sys/hypervisor` and `/proc/xen` hold.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The kind of domain, as `xen.mode` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum XenMode {
    /// Paravirtualised guest.
    Pv,
    /// Guest in a hardware container without emulated devices.
    Pvh,
    /// Fully virtualised guest.
    Hvm,
    /// A guest on a kernel that does not say which (before 4.13).
    Guest,
    /// The host's own control domain: nothing to guard here.
    Dom0,
    /// Not under Xen.
    #[default]
    None,
}

/// What the readers found; each `None` where the file is absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct XenFiles<'a> {
    /// `/sys/hypervisor/type`.
    pub hypervisor_type: Option<&'a str>,
    /// `/sys/hypervisor/guest_type` (4.13+).
    pub guest_type: Option<&'a str>,
    /// `/sys/hypervisor/properties/features`, hexadecimal.
    pub features: Option<&'a str>,
    /// `/proc/xen/capabilities` (only where xenfs is mounted).
    pub capabilities: Option<&'a str>,
    /// Whether `/sys/bus/xen` exists: blkfront hangs there, also where `/sys/hypervisor` is absent.
    pub has_bus: bool,
}

/// `XENFEAT_dom0` in Xen's public header features.h.
const FEATURE_DOM0: u32 = 1 << 11;

impl XenMode {
    /// Fuses the files into one answer.
    pub fn from_files(files: XenFiles<'_>) -> Self {
        let hypervisor = files.hypervisor_type.map(str::trim);
        if hypervisor.is_some_and(|kind| kind != "xen") || (hypervisor.is_none() && !files.has_bus)
        {
            return XenMode::None;
        }
        let features = files.features.map(|hex| hex.trim().trim_start_matches("0x"));
        let features = features.and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0);
        let control = files.capabilities.is_some_and(|text| text.contains("control_d"));
        if control || features & FEATURE_DOM0 != 0 {
            return XenMode::Dom0;
        }
        match files.guest_type.map(str::trim) {
            Some("PV") => XenMode::Pv,
            Some("PVH") => XenMode::Pvh,
            Some("HVM") => XenMode::Hvm,
            _ => XenMode::Guest,
        }
    }

    /// Whether this is a guest whose disks may be vbds.
    pub fn is_guest(self) -> bool {
        !matches!(self, XenMode::Dom0 | XenMode::None)
    }
}

impl fmt::Display for XenMode {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(match self {
            XenMode::Pv => "Xen PV guest",
            XenMode::Pvh => "Xen PVH guest",
            XenMode::Hvm => "Xen HVM guest",
            XenMode::Guest => "Xen guest",
            XenMode::Dom0 => "Xen dom0",
            XenMode::None => "no Xen",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_domain_is_told_apart() {
        let xen = XenFiles { hypervisor_type: Some("xen\n"), has_bus: true, ..XenFiles::default() };
        let guest = |kind| XenFiles { guest_type: Some(kind), ..xen };
        for (files, expected) in [
            (guest("PV\n"), XenMode::Pv),
            (guest("PVH\n"), XenMode::Pvh),
            (guest("HVM\n"), XenMode::Hvm),
            (xen, XenMode::Guest),
            // A real PV guest shows features=000220f0: bit 11 is not set.
            (XenFiles { features: Some("000220f0\n"), ..guest("PV") }, XenMode::Pv),
            (XenFiles { features: Some("00002fb1"), ..guest("PV") }, XenMode::Dom0),
            (XenFiles { capabilities: Some("control_d\n"), ..xen }, XenMode::Dom0),
            (XenFiles { has_bus: true, ..XenFiles::default() }, XenMode::Guest),
            (XenFiles { hypervisor_type: Some("kvm"), ..xen }, XenMode::None),
            (XenFiles::default(), XenMode::None),
        ] {
            assert_eq!(XenMode::from_files(files), expected, "{files:?}");
        }
    }
}
