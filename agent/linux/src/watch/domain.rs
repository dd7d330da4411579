//! Which domain this is, and what its init is.

use std::time::Instant;

use xvdguard_logic::recovery::world::{Domain, Init};
use xvdguard_logic::text::Text;

use crate::root::Root;
use crate::xenstore::Source;

/// Brings it up to date; without xenstore there is no id. The machine's own id is on a disk, and
/// read once.
pub fn update(domain: &mut Domain, root: &Root, xenstore: Option<&mut Source>, deadline: Instant) {
    let text = |path: &[u8]| root.read_text(path).ok().flatten().filter(|text| !text.is_empty());
    let id = match xenstore {
        Some(Source::Live(client)) => client.read("domid", deadline).ok(),
        _ => None,
    };
    domain.id = id.as_ref().and_then(Text::number).and_then(|id| u32::try_from(id).ok());
    domain.uuid = text(b"sys/hypervisor/uuid");
    if domain.machine_id.is_none() {
        domain.machine_id = text(b"etc/machine-id");
    }
}

/// sd_booted(3); sysvinit has its pipe (init(8)).
pub fn init(root: &Root) -> Init {
    let has = |path: &[u8]| root.stat(path).is_ok();
    if has(b"run/systemd/system") {
        Init::Systemd
    } else if has(b"run/initctl") || has(b"dev/initctl") {
        Init::Sysvinit
    } else {
        Init::Unknown
    }
}
