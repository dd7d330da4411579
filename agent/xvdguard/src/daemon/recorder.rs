//! The recording of the turns of this daemon: those in which something happened, in bounds.

use xvdguard_linux::recording::ring::Ring;
use xvdguard_linux::recording::{Asked, Decided};
use xvdguard_linux::recover::bundles::RECORDING;
use xvdguard_logic::recovery::effects::Deed;

/// Turns of some hundred bytes to some kilobytes: an incident with its recovery has some dozen.
const ROOM: usize = 192 * 1024;
/// Turns in a row that only ask disks whether they answer: an outage has one each second, and the
/// first of them tell most.
const QUESTIONS: usize = 32;

/// The recorder.
#[derive(Debug, Default)]
pub struct Recorder {
    ring: Option<Ring>,
    questions: usize,
    /// Hundreds of volumes: no file could hold it, so no memory has to.
    is_too_large: bool,
}

impl Recorder {
    /// Takes a turn, if anything happened in it.
    pub fn take(&mut self, asked: Asked<'_>, decided: &Decided) {
        let world = asked.world;
        let asks = |deed: &Deed| matches!(deed, Deed::AskDisk(_));
        let is_asked = !world.ended.is_empty() || !world.releases.is_empty() || world.is_stopping;
        let is_quiet = decided.orders.is_empty() && decided.moves.is_empty() && !is_asked;
        if self.is_too_large || is_quiet && self.ring.is_some() {
            return;
        }
        let is_question = decided.moves.is_empty()
            && decided.orders.iter().all(|order| asks(&order.deed))
            && world.releases.is_empty();
        self.questions = if is_question { self.questions + 1 } else { 0 };
        if self.questions > QUESTIONS {
            return;
        }
        let ring = self.ring.get_or_insert_with(|| Ring::new(ROOM));
        ring.take(asked, decided);
        if ring.size() > RECORDING.bytes - ROOM {
            self.is_too_large = true;
            self.ring = None;
        }
    }

    /// As a file; none where it is too large for one.
    pub fn document(&self) -> Option<Vec<u8>> {
        let ring = self.ring.as_ref()?;
        Some(ring.document(env!("CARGO_PKG_VERSION")))
    }
}
