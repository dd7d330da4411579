//! Act: an outage of some seconds kills a journal, the storage comes back, and so does the volume,
//! before the eyes.

use std::time::Duration;

use harness::deadline;
use harness::failure::Failure;
use harness::fault::{Answer, Fault};

use super::Act;
use crate::guarded_guest::GuardedGuest;
use crate::show::{End, Show};

/// The act.
pub const ACT: Act = Act { title: "the volume that comes back by itself", play };

const NEW_FILE: &str = "touch /run/srv/new && sync /run/srv/new";
const STATUS: &str = "xvdguard status";
const SAID: &str = "cat /run/daemon.log";
/// Settling takes five seconds, a check of a small file system a moment.
const SOON: Duration = Duration::from_secs(60);

fn play(show: &mut Show) -> Result<(), End> {
    show.say(
        "Another guest: /run/srv is an ext4 on a virtual disk, and xvdguard's daemon watches it. \
         The kernel, the file system and its death are this machine's own.",
    );
    let guest = GuardedGuest::start()?;
    show.run(&guest, NEW_FILE)?.exits_with(0, "it takes new files")?;
    guest.disk.storage.set_all(&Fault::everything(Answer::Eio))?;
    show.say("Now its storage answers every request with an error.");
    show.run(&guest, NEW_FILE)?.exits_with(1, "the journal is aborted")?;
    until(&guest, "aborted")?;
    guest.disk.storage.heal()?;
    show.say(
        "The storage is healthy again. Without help this file system stays dead until somebody \
         unmounts it: a remount says 0 and heals nothing.",
    );
    until(&guest, "healthy")?;
    show.run(&guest, NEW_FILE)?.exits_with(0, "it takes new files again, and nobody was asked")?;
    show.run(&guest, SAID)?.exits_with(0, "what the daemon said meanwhile")?;
    show.run(&guest, STATUS)?.exits_with(0, "healthy, and watched")
}

/// Until the daemon says so.
fn until(guest: &GuardedGuest, health: &str) -> Result<(), Failure> {
    let seen = deadline::seen(SOON, || (guest.health() == health).then_some(()));
    seen.ok_or_else(|| Failure::new(format!("the daemon does not say {health}")))
}
