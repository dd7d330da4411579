//! The recording of the turns of this daemon: those in which something happened, in bounds.

use xvdguard_linux::recording::ring::Ring;
use xvdguard_linux::recording::{Asked, Decided};
use xvdguard_logic::recovery::effects::Deed;

/// Turns of some hundred bytes to some kilobytes: an incident with its recovery has some dozen.
const ROOM: usize = 192 * 1024;
/// Turns in a row that only ask disks whether they answer: an outage has one each second, and the
/// first of them tell most.
const QUESTIONS: usize = 32;

/// The recorder.
#[derive(Debug)]
pub struct Recorder {
    ring: Ring,
    questions: usize,
    is_begun: bool,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder { ring: Ring::new(ROOM), questions: 0, is_begun: false }
    }
}

impl Recorder {
    /// Takes a turn, if anything happened in it.
    pub fn take(&mut self, asked: Asked<'_>, decided: &Decided) {
        let world = asked.world;
        let asks = |deed: &Deed| matches!(deed, Deed::AskDisk(_));
        let is_asked = !world.ended.is_empty() || !world.releases.is_empty() || world.is_stopping;
        let is_quiet = decided.orders.is_empty() && decided.moves.is_empty() && !is_asked;
        if is_quiet && self.is_begun {
            return;
        }
        let is_question = decided.moves.is_empty()
            && decided.orders.iter().all(|order| asks(&order.deed))
            && world.releases.is_empty();
        self.questions = if is_question { self.questions + 1 } else { 0 };
        if self.questions <= QUESTIONS {
            self.ring.take(asked, decided);
            self.is_begun = true;
        }
    }

    /// As a file.
    pub fn document(&self) -> Vec<u8> {
        self.ring.document(env!("CARGO_PKG_VERSION"))
    }
}
