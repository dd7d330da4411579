//! Evidence bundles: one for each volume that is dead, written when it is healthy again or handed
//! over.
//!
//! In memory until then. To `/var/lib/xvdguard/record` where nothing speaks against the file system
//! that carries it, else to `/run/xvdguard/record`, which is gone with the next reboot.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use xvdguard_linux::job::Job;
use xvdguard_linux::recover;
use xvdguard_linux::recover::bundles::{self, FOLDER, IN_MEMORY, LASTING, PREFIX};
use xvdguard_linux::root::Root;
use xvdguard_logic::bundle::Bundle;
use xvdguard_logic::decide::Decision;
use xvdguard_logic::recovery::effects::{Ended, Outcome};
use xvdguard_logic::recovery::memory::{Memory, State, VolumeMemory};
use xvdguard_logic::recovery::transitions::Stage;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::daemon as wording;

use super::look;
use crate::json;

/// A guest has no more volumes that die at once; what comes later has no bundle.
const OPEN: usize = 64;

type Place = (&'static [u8], &'static str);

/// One bundle, and where it goes.
#[derive(Debug)]
struct Case {
    bundle: Bundle,
    name: String,
    /// Where it stood when it was written last.
    written: Option<&'static str>,
}

/// A document on its way to a disk.
#[derive(Debug)]
struct Parcel {
    mount_point: Text,
    name: String,
    content: Vec<u8>,
    place: Place,
}

/// All open bundles.
#[derive(Debug, Default)]
pub struct Casebook {
    cases: Vec<Case>,
    parcels: VecDeque<Parcel>,
    job: Option<(Parcel, Job)>,
    is_lasting: bool,
    /// Mount points, and where what is known of their last incident is.
    kept: Vec<(Text, String)>,
}

impl Casebook {
    /// Takes one turn. `ended`: what had ended before it.
    pub fn take(&mut self, world: &World, ended: &[Ended], decision: &Decision) {
        self.is_lasting = is_lasting(world, &decision.memory);
        self.open(world, decision);
        for case in &mut self.cases {
            case.bundle.take(world, ended, decision);
            let end = case.bundle.end;
            if end.is_some() && case.written != end {
                case.written = end;
                let place = if self.is_lasting { LASTING } else { IN_MEMORY };
                self.parcels.push_back(Parcel {
                    mount_point: case.bundle.target.mount_point.clone(),
                    name: case.name.clone(),
                    content: document(&mut case.bundle),
                    place,
                });
            }
        }
        // A reboot that is pending may still come to nothing.
        self.cases.retain(|case| !matches!(case.written, Some("healthy" | "given-up" | "gone")));
    }

    /// What is dead, and what was handed over in this very turn, has a bundle.
    fn open(&mut self, world: &World, decision: &Decision) {
        let Decision { memory, moves, .. } = decision;
        let is_new =
            |device| moves.iter().any(|one| one.device == device && one.to == Stage::GivenUp);
        let is_dead = |volume: &&VolumeMemory| match volume.state {
            State::Aborted | State::Recovering(_) | State::RebootPending(_) => true,
            State::GivenUp(_) => is_new(volume.target.device),
            _ => false,
        };
        for volume in memory.volumes.iter().filter(is_dead) {
            let device = volume.target.device;
            let is_known = self.cases.iter().any(|case| case.bundle.target.device == device);
            if is_known || self.cases.len() >= OPEN {
                continue;
            }
            let safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
            let device = volume.target.device_name.to_string().replace(|c: char| !safe(c), "_");
            let name = format!("{PREFIX}{:010}-{device}.json", world.wall_s);
            let bundle = Bundle::begin(volume, memory, world);
            self.cases.push(Case { bundle, name, written: None });
        }
    }

    /// Where the bundle of the volume that is mounted there will be, for whoever is told of it.
    pub fn announced(&self, mount_point: &Text) -> Option<String> {
        let waiting = self.parcels.iter().find(|parcel| parcel.mount_point == *mount_point);
        waiting.map(|parcel| path(parcel.place, &parcel.name))
    }

    /// Where the last bundle of that volume is.
    pub fn kept(&self, mount_point: &Text) -> Option<&String> {
        self.kept.iter().find(|(point, _)| point == mount_point).map(|(_, path)| path)
    }

    /// Writes what waits to be written, one after the other; what is to be said of it.
    pub fn work(&mut self, root: &Root) -> Vec<String> {
        let mut said = Vec::new();
        if self.job.as_mut().is_some_and(|(_, job)| job.is_over())
            && let Some((parcel, job)) = self.job.take()
        {
            said.push(self.end(parcel, recover::outcome(job.finish())));
        }
        if self.job.is_none()
            && let Some(parcel) = self.parcels.pop_front()
        {
            match bundles::begin(root, parcel.place, &parcel.name, &parcel.content) {
                Ok(job) => self.job = Some((parcel, job)),
                Err(error) => said.push(error.to_string()),
            }
        }
        said
    }

    fn end(&mut self, parcel: Parcel, outcome: Outcome) -> String {
        let at = path(parcel.place, &parcel.name);
        if outcome == Outcome::Done {
            let line = wording::bundle_kept(&parcel.mount_point, &at);
            self.kept.retain(|(point, _)| *point != parcel.mount_point);
            self.kept.push((parcel.mount_point, at));
            let surplus = self.kept.len().saturating_sub(OPEN);
            self.kept.drain(..surplus);
            return line;
        }
        let why = match &outcome {
            Outcome::Failed(failure) => failure.text.clone(),
            _ => wording::NO_ANSWER.into(),
        };
        let is_last = parcel.place == IN_MEMORY;
        if !is_last {
            self.parcels.push_front(Parcel { place: IN_MEMORY, ..parcel });
        }
        wording::bundle_not_kept(&at, &why, is_last)
    }

    /// To be polled.
    pub fn file(&self) -> Option<BorrowedFd<'_>> {
        self.job.as_ref().map(|(_, job)| job.as_fd())
    }

    /// When the disk has had its time.
    pub fn deadline(&self) -> Option<Instant> {
        self.job.as_ref().and_then(|(_, job)| job.deadline())
    }

    /// Whether something is still to be written.
    pub fn is_busy(&self) -> bool {
        self.job.is_some() || !self.parcels.is_empty()
    }
}

/// As JSON, short enough to be kept.
fn document(bundle: &mut Bundle) -> Vec<u8> {
    loop {
        let content = json::bundle(bundle);
        if content.len() <= bundles::BYTES || !bundle.halve() {
            return content;
        }
    }
}

fn path((above, ours): Place, name: &str) -> String {
    format!("/{}/{ours}/{FOLDER}/{name}", Text::from(above))
}

/// Whether nothing speaks against the file system that carries the lasting folder.
fn is_lasting(world: &World, memory: &Memory) -> bool {
    let Some(mount) = look::mount_of_records(world) else { return false };
    let volume =
        memory.volumes.iter().find(|volume| volume.target.mount_point == mount.mount_point);
    volume.is_none_or(|volume| volume.state == State::Healthy)
}
