//! What machine this is: Xen or not, which kernel, which boot.

use xvdguard_logic::kernel_version::KernelVersion;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;
use xvdguard_logic::xen::{XenFiles, XenMode};

use crate::clock;
use crate::root::Root;

/// What tells one boot from another (random(4)).
pub const BOOT_ID: &str = "proc/sys/kernel/random/boot_id";

/// Fills in everything that holds for the whole boot.
pub fn read(root: &Root, seen: &mut Observation) {
    let mut text = |path: &str| match root.read_text(path.as_bytes()) {
        Ok(text) => text,
        Err(error) => {
            seen.oddities.push(format!("{error}, ignoring"));
            None
        }
    };
    let files = [
        text("sys/hypervisor/type"),
        text("sys/hypervisor/guest_type"),
        text("sys/hypervisor/properties/features"),
        text("proc/xen/capabilities"),
    ];
    let [hypervisor_type, guest_type, features, capabilities] =
        files.each_ref().map(|text| text.as_ref().and_then(Text::as_str));
    let release = text("proc/sys/kernel/osrelease");
    seen.kernel = release.as_ref().and_then(Text::as_str).and_then(KernelVersion::parse);
    seen.boot_id = text(BOOT_ID);
    seen.command_line = text("proc/cmdline").unwrap_or_default();
    let has_bus = root.stat(b"sys/bus/xen").is_ok();
    let files = XenFiles { hypervisor_type, guest_type, features, capabilities, has_bus };
    seen.xen = XenMode::from_files(files);
}

/// Milliseconds since boot: of this machine, or of the moment that a recording shows.
pub fn boot_ms(root: &Root) -> u64 {
    let recorded = || {
        let text = root.read_text(b"proc/uptime").ok()??;
        let (seconds, hundredths) = text.as_str()?.split(' ').next()?.split_once('.')?;
        Some(seconds.parse::<u64>().ok()? * 1000 + hundredths.parse::<u64>().ok()? * 10)
    };
    let recorded = if root.is_machine() { None } else { recorded() };
    recorded.unwrap_or_else(clock::boot_ms)
}
