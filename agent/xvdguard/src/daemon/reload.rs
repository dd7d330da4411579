//! The configuration, read again while the loop goes on: its disk may be silent.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::Instant;

use xvdguard_linux::configuration::Reading;
use xvdguard_linux::job::Left;
use xvdguard_linux::root::Root;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::config::STALE_IMAGE;

use super::announce;
use crate::config::{self, Configuration, Problems, WAIT};

/// The reading under way.
#[derive(Debug, Default)]
pub struct Reload {
    reading: Option<Reading>,
    /// What is being read may be older than what is there now.
    is_stale: bool,
    /// A child that hangs beyond SIGKILL: as long as it does, another one would hang as well.
    left: Left,
    /// It was said that the image carries another policy.
    is_image_told: bool,
}

impl Reload {
    /// Somebody changed it, or asks for it. Fails where no process can be started.
    pub fn ask(&mut self, root: &Root, named: Option<&Path>) -> Result<(), String> {
        if self.reading.is_some() || self.left.count() > 0 {
            self.is_stale = true;
            return Ok(());
        }
        let reading = Reading::begin(root, named, WAIT).map_err(|error| error.to_string())?;
        self.reading = Some(reading);
        Ok(())
    }

    /// To be polled.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.reading.as_ref().map(|reading| reading.job.as_fd())
    }

    /// When the disk has had its time.
    pub fn deadline(&self) -> Option<Instant> {
        self.reading.as_ref().and_then(|reading| reading.job.deadline())
    }

    /// What was read, once it is there.
    pub fn take(&mut self) -> Option<Result<Configuration, Problems>> {
        if !self.reading.as_mut()?.job.is_over() {
            return None;
        }
        let reading = self.reading.take()?;
        self.left.note(reading.job.pid());
        let found = reading.finish();
        self.is_stale |= self.left.count() > 0;
        Some(config::understand(found))
    }

    /// Says, once as long as it is so, that early boot decided by another policy than this one,
    /// known by its hash, which holds from now on.
    pub fn compare(&mut self, root: &Root, hash: &Text) {
        let is_stale = config::is_image_stale(root, hash);
        if is_stale && !self.is_image_told {
            announce::note(STALE_IMAGE);
        }
        self.is_image_told = is_stale;
    }

    /// Whether it is to be read again by now.
    pub fn is_owed(&mut self) -> bool {
        let is_free = self.reading.is_none() && self.left.count() == 0;
        is_free && std::mem::take(&mut self.is_stale)
    }
}
