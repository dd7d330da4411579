//! Guests, as many as it takes: each is played in a bed that is booted where there is none, and all
//! that was seen is kept below target/xen/logs.
//!
//! A guest or a bed that dies for a reason of its own is played once more in a new bed; what then
//! dies again has failed. Never takes bad weather for a pass.

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use harness::failure::{Result, Tried};
use harness::scratch::Scratch;

use crate::bed::Bed;
use crate::domain::Seen;
use crate::order::Order;
use crate::say;
use crate::stock::Stock;

/// Whoever plays guests, one at a time.
pub struct Player<'a> {
    stock: &'a Stock,
    /// For the logs of its beds.
    logs: PathBuf,
    /// For the channel to them.
    scratch: Scratch,
    bed: Option<Bed>,
}

impl<'a> Player<'a> {
    /// No bed yet; the number tells one player's beds from another's.
    pub fn new(stock: &'a Stock, number: usize) -> Result<Player<'a>> {
        let logs = stock.logs.join(format!("bed-{number}"));
        fs::create_dir_all(&logs).tried(format_args!("make {}", logs.display()))?;
        Ok(Player { stock, logs, scratch: Scratch::new("bed")?, bed: None })
    }

    /// Plays a guest that reports by itself; `name` is that of its log.
    pub fn guest(&mut self, order: &Order, name: &str) -> Result<Seen> {
        let seen = self.twice(&mut |bed| order.play(bed))?;
        let guard = if order.guard.is_some() { "with" } else { "without" };
        let path = self.stock.logs.join(format!("{}-{guard}-{name}.txt", order.kernel.name));
        let text = format!("{:#?}\n{:#}\n{}", seen.disks, seen.guest, seen.backends);
        fs::write(&path, text).tried(format_args!("write {}", path.display()))?;
        Ok(seen)
    }

    /// Does something in a bed, once more where the first bed did not hold.
    pub fn twice<T>(&mut self, play: &mut dyn FnMut(&mut Bed) -> Result<T>) -> Result<T> {
        self.once(play).or_else(|failure| {
            say(&format!("bad weather, once more in a new bed: {failure}"));
            self.once(play)
        })
    }

    /// A bed in which something went wrong is not used again.
    fn once<T>(&mut self, play: &mut dyn FnMut(&mut Bed) -> Result<T>) -> Result<T> {
        let mut bed = match self.bed.take() {
            Some(bed) => bed,
            None => self.boot()?,
        };
        let done = play(&mut bed)?;
        self.bed = Some(bed).filter(|bed| !bed.is_spoilt);
        Ok(done)
    }

    /// The next guest is played in a new bed, where nothing is left on any disk.
    pub fn leave_bed(&mut self) {
        self.bed = None;
    }

    fn boot(&self) -> Result<Bed> {
        let begin = Instant::now();
        let bed = Bed::start(self.stock, &self.logs, &self.scratch.path().join("channel"))?;
        say(&format!("Xen and dom0 booted in {} s", begin.elapsed().as_secs()));
        Ok(bed)
    }
}
