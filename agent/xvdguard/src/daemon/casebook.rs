//! Evidence bundles: one for each volume that is dead, written when it is healthy again or handed
//! over, and the recording of the daemon's turns beside it.
//!
//! In memory until then. To `/var/lib/xvdguard/record` where nothing speaks against the file system
//! that carries it; else to a healthy volume, which outlasts the reboot that is to come; else to
//! `/run/xvdguard/record`.

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Instant;

use xvdguard_linux::job::Job;
use xvdguard_linux::recover;
use xvdguard_linux::recover::bundles::{
    self, BUNDLE, IN_MEMORY, LASTING, PREFIX, Place, RECORDING,
};
use xvdguard_linux::root::Root;
use xvdguard_logic::bundle::Bundle;
use xvdguard_logic::decide::Decision;
use xvdguard_logic::recovery::effects::Outcome;
use xvdguard_logic::recovery::memory::{Memory, State, VolumeMemory};
use xvdguard_logic::recovery::transitions::Stage;
use xvdguard_logic::recovery::world::World;
use xvdguard_logic::text::Text;
use xvdguard_logic::wording::daemon as wording;

use super::look;
use crate::json;

/// A guest has no more volumes that die at once; what comes later has no bundle.
const OPEN: usize = 64;

/// One bundle, and where it goes.
#[derive(Debug)]
struct Case {
    bundle: Bundle,
    /// The name of its files, without their endings.
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
    is_recording: bool,
}

/// All open bundles.
#[derive(Debug)]
pub struct Casebook {
    cases: Vec<Case>,
    parcels: VecDeque<Parcel>,
    job: Option<(Parcel, Job)>,
    /// Where files go now.
    place: Place,
    /// Volumes whose bundle is written, and whose recording is still to be added: its last turn is
    /// this one.
    unrecorded: Vec<(Text, String)>,
    /// Mount points, and where what is known of their last incident is.
    kept: Vec<(Text, String)>,
}

impl Default for Casebook {
    fn default() -> Casebook {
        Casebook {
            cases: Vec::new(),
            parcels: VecDeque::new(),
            job: None,
            place: IN_MEMORY,
            unrecorded: Vec::new(),
            kept: Vec::new(),
        }
    }
}

impl Casebook {
    /// Takes one turn.
    pub fn take(&mut self, world: &World, decision: &Decision) {
        self.place = place(world, &decision.memory);
        self.open(world, decision);
        for case in &mut self.cases {
            case.bundle.take(world, decision);
            let end = case.bundle.end;
            if end.is_some() && case.written != end {
                case.written = end;
                let mount_point = &case.bundle.target.mount_point;
                self.unrecorded.push((mount_point.clone(), case.name.clone()));
                self.parcels.push_back(Parcel {
                    mount_point: mount_point.clone(),
                    name: case.name.clone() + BUNDLE.ending,
                    content: document(&mut case.bundle),
                    place: self.place.clone(),
                    is_recording: false,
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
            let name = format!("{PREFIX}{:010}-{device}", world.wall_s);
            let bundle = Bundle::begin(volume, memory, world);
            self.cases.push(Case { bundle, name, written: None });
        }
    }

    /// Adds the recording to what is written in this turn; one that is too large is none.
    pub fn add_recording(&mut self, recording: &dyn Fn() -> Option<Vec<u8>>) {
        for (mount_point, name) in std::mem::take(&mut self.unrecorded) {
            if let Some(content) = recording().filter(|it| it.len() <= RECORDING.bytes) {
                let name = name + RECORDING.ending;
                let place = self.place.clone();
                let is_recording = true;
                self.parcels.push_back(Parcel { mount_point, name, content, place, is_recording });
            }
        }
    }

    /// Where the bundle of the volume that is mounted there will be, for whoever is told of it.
    pub fn announced(&self, mount_point: &Text) -> Option<String> {
        let mut bundles = self.parcels.iter().filter(|parcel| !parcel.is_recording);
        let waiting = bundles.find(|parcel| parcel.mount_point == *mount_point);
        waiting.map(|parcel| parcel.place.path(&parcel.name))
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
            match bundles::begin(root, &parcel.place, &parcel.name, &parcel.content) {
                Ok(job) => self.job = Some((parcel, job)),
                Err(error) => said.push(error.to_string()),
            }
        }
        said
    }

    fn end(&mut self, parcel: Parcel, outcome: Outcome) -> String {
        let at = parcel.place.path(&parcel.name);
        if outcome == Outcome::Done && parcel.is_recording {
            return wording::recording_kept(&parcel.mount_point, &at);
        }
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
        if content.len() <= BUNDLE.bytes || !bundle.halve() {
            return content;
        }
    }
}

fn place(world: &World, memory: &Memory) -> Place {
    if is_lasting(world, memory) {
        return LASTING;
    }
    spare(memory).map_or(IN_MEMORY, |volume| Place::on(&volume.target.mount_point))
}

/// Whether nothing speaks against the file system that carries the lasting folder.
fn is_lasting(world: &World, memory: &Memory) -> bool {
    let Some(mount) = look::mount_of_records(world) else { return false };
    let is_there = |volume: &&VolumeMemory| volume.target.device == mount.device;
    memory.volumes.iter().filter(is_there).all(|volume| volume.state == State::Healthy)
}

/// A volume that nothing speaks against, this guest's alone, on disks without an incident.
fn spare(memory: &Memory) -> Option<&VolumeMemory> {
    let is_well = |volume: &&VolumeMemory| {
        let is_ours = volume.identity.as_ref().is_some_and(|identity| !identity.is_shared);
        volume.state == State::Healthy && volume.was_writable && is_ours
    };
    let sick = memory.volumes.iter().filter(|volume| volume.state != State::Healthy);
    let mut well = memory.volumes.iter().filter(is_well);
    well.find(|volume| {
        let mut disks = sick.clone().flat_map(|other| &other.disks);
        disks.all(|disk| !volume.disks.contains(disk))
    })
}
