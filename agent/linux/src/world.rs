//! The world that is looked at: root directory, xenstore, kernel log.
//!
//! Below another root there is no xenstore but one that is named: a recording must never be mixed
//! with the machine that it is looked at on.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use xvdguard_logic::disk::Disk;
use xvdguard_logic::observation::Observation;
use xvdguard_logic::text::Text;
use xvdguard_logic::verdict::report::XenstoreUse;

use crate::error::{Error, Result};
use crate::observe::kernel_log::KernelLogReader;
use crate::observe::vbds::Asker;
use crate::observe::{self, Look, machine, queues};
use crate::root::{self, Root};
use crate::xenstore::{Client, Listing, Source};

/// Where the world is, as `--root`, `--xenstore` and `--kernel-log` say; the machine by default.
#[derive(Debug, Default, Clone)]
pub struct Places {
    /// A directory that plays the machine.
    pub root: Option<PathBuf>,
    /// A socket, a device, or a saved listing.
    pub xenstore: Option<PathBuf>,
    /// A file with records of `/dev/kmsg`.
    pub kernel_log: Option<PathBuf>,
}

/// What is looked at and acted on.
#[derive(Debug)]
pub struct World {
    /// The machine.
    pub root: Root,
    /// Xenstore, where it is there.
    pub xenstore: Option<Source>,
    /// The followed log.
    pub log: KernelLogReader,
    /// What could not be opened, each with what happens instead.
    pub oddities: Vec<String>,
    places: Places,
    /// When it was tried to connect again.
    tried_again: Option<Instant>,
}

/// Whoever accepts a connection and closes it is not asked again at once.
const AT_ONCE_AGAIN: Duration = Duration::from_secs(5);

impl World {
    /// Opens what is there. An error: a root or a kernel log that a person named and that cannot be
    /// opened; the rest is noted.
    pub fn open(places: &Places, deadline: Instant) -> Result<World> {
        let root = places.open_root()?;
        let mut oddities = Vec::new();
        let xenstore = places.open_xenstore(&root, deadline).unwrap_or_else(|error| {
            oddities.push(format!("{error}; what the backend advertises is not known"));
            None
        });
        let log = match &places.kernel_log {
            Some(path) => KernelLogReader::open_named(bytes(path))?,
            None => KernelLogReader::open(&root).unwrap_or_else(|error| {
                oddities.push(format!("{error}; without the kernel log no flush counts as proven"));
                KernelLogReader::none()
            }),
        };
        Ok(World { root, xenstore, log, oddities, places: places.clone(), tried_again: None })
    }

    /// Connects to xenstore again, where that was lost or never was; whether there is a new
    /// connection, which nothing is watched by yet.
    pub fn connect_again(&mut self, deadline: Instant) -> bool {
        if self.xenstore.is_none() {
            self.tried_again = Some(Instant::now());
            self.xenstore = self.places.open_xenstore(&self.root, deadline).ok().flatten();
            return self.xenstore.is_some();
        }
        false
    }

    /// The connection broke: makes a new one at once, unless that was done a moment ago.
    pub fn connect_anew(&mut self, deadline: Instant) -> bool {
        self.xenstore = None;
        let may = self.tried_again.is_none_or(|at| at.elapsed() > AT_ONCE_AGAIN);
        may && self.connect_again(deadline)
    }

    /// One look at everything.
    pub fn observe(&mut self, look: Look) -> Observation {
        let seen = observe::observe(&self.root, self.xenstore.as_mut(), &mut self.log, look);
        self.with_oddities(seen)
    }

    /// The same, and xenstore is not asked.
    pub fn observe_here(&mut self, look: Look) -> Observation {
        let seen = observe::observe(&self.root, None, &mut self.log, look);
        self.with_oddities(seen)
    }

    fn with_oddities(&self, mut seen: Observation) -> Observation {
        seen.oddities.splice(0..0, self.oddities.iter().cloned());
        seen
    }

    /// One look at one disk and its vbd.
    pub fn observe_vbd(&mut self, name: &Text, look: Look) -> Option<Disk> {
        observe::observe_vbd(&self.root, self.xenstore.as_mut(), name, look)
    }

    /// Looks again at what a probe may have changed: keys, queues and the log. The queue of a disk
    /// that is silent is not read: one stuck child is enough.
    pub fn look_again(&mut self, seen: &mut Observation, silent: &[&Text], deadline: Instant) {
        let oddities = &mut seen.oddities;
        let answering = seen.disks.iter_mut().filter(|disk| !silent.contains(&&disk.name));
        queues::read(&self.root, answering, |_| vec!["write_cache"], oddities);
        if let Some(xenstore) = &mut self.xenstore {
            let vbds = seen.disks.iter_mut().filter_map(|disk| disk.vbd.as_mut());
            Asker { xenstore, deadline, oddities }.read_features(vbds);
        }
        observe::note_log(&mut self.log, seen);
        seen.boot_ms = machine::boot_ms(&self.root);
    }

    /// How much xenstore was asked so far; none for a listing.
    pub fn xenstore_use(&self) -> Option<XenstoreUse> {
        match self.xenstore.as_ref()? {
            Source::Live(client) => {
                Some(XenstoreUse { round_trips: client.round_trips(), requests: client.requests() })
            }
            Source::Listing(_) => None,
        }
    }
}

impl Places {
    /// The directory that is the machine.
    pub fn open_root(&self) -> Result<Root> {
        match &self.root {
            Some(path) => Root::at(bytes(path)),
            None => Root::machine(),
        }
    }

    /// Xenstore, if there is one.
    pub fn open_xenstore(&self, root: &Root, deadline: Instant) -> Result<Option<Source>> {
        match &self.xenstore {
            Some(path) if path.is_file() => {
                let content = root::read_named(bytes(path))?;
                let uuid = root.read_text(b"sys/hypervisor/uuid")?;
                let listing = Listing::parse(&content, uuid.as_ref())
                    .map_err(|error| Error::content("read", bytes(path), error.to_string()))?;
                Ok(Some(Source::Listing(listing)))
            }
            Some(path) => Ok(Some(Source::Live(Client::connect_to(path, deadline)?))),
            None if root.is_machine() && root.stat(b"sys/bus/xen").is_ok() => {
                Ok(Some(Source::Live(Client::connect(deadline)?)))
            }
            None => Ok(None),
        }
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
