//! What the host tells by itself: its hold and the vbds, through watches of xenstore.
//!
//! Who is told needs not ask. Asking for a watch that is there already does nothing.

use std::time::Instant;

use xvdguard_linux::watch::requests;
use xvdguard_linux::world::World as Places;
use xvdguard_linux::xenstore::Source;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;
use xvdguard_logic::vbd::Vbd;
use xvdguard_logic::wording::daemon as wording;

use super::announce;

/// What xenstore says along with a change.
const TOKEN: &str = "xvdguard";

/// Backends that are watched: a guest has 128 watches in all (tools/xenstored/domain.c), and its
/// kernel needs some for each device.
const BACKENDS: usize = 5;

/// Whether it tells of its hold.
pub fn tells_of_hold(places: &mut Places, deadline: Instant) -> bool {
    watch(places, requests::HOST_HOLD.into(), deadline)
}

/// Whether it tells of all vbds and of the features of their backends; with many disks only of the
/// first ones.
pub fn tells_of_vbds(places: &mut Places, world: &World, deadline: Instant) -> bool {
    let vbds: Vec<&Vbd> = world.seen.disks.iter().filter_map(|disk| disk.vbd.as_ref()).collect();
    let is_read = |vbd: &&Vbd| vbd.backend_path.is_some() && !vbd.is_unread;
    let is_all = vbds.len() <= BACKENDS && vbds.iter().all(is_read);
    let backends = vbds.iter().filter_map(|vbd| vbd.backend_path.clone());
    let watched = [Text::from("device/vbd")].into_iter().chain(backends.take(BACKENDS));
    // Each of them, also after one that was refused.
    watched.fold(is_all, |is_all, path| watch(places, path, deadline) && is_all)
}

fn watch(places: &mut Places, path: Text, deadline: Instant) -> bool {
    let Some(Source::Live(client)) = &mut places.xenstore else { return false };
    client.watch(path, TOKEN, deadline).is_ok()
}

/// Whether there is news. A connection that breaks (it would be ready to be read for ever) is made
/// anew at once, or else in a tick: until then what was seen with it still holds.
pub fn has_news(places: &mut Places, deadline: Instant) -> bool {
    let Some(Source::Live(client)) = &mut places.xenstore else { return false };
    let mut has_event = false;
    loop {
        match client.next_event(Instant::now()) {
            Ok(Some(_)) => has_event = true,
            Err(error) if error.is_closed() => {
                announce::note(&wording::xenstore_lost(&error.to_string()));
                return places.connect_anew(deadline);
            }
            Ok(None) | Err(_) => return has_event,
        }
    }
}
